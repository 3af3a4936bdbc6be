//! Pages of a list and the Link header that leads through them.

use hyper::Uri;

use crate::web::encode::in_query;

const DEFAULT: usize = 30;
const MOST: usize = 100;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// From `?per_page=` and `?page=`; what makes no sense is the default.
    pub fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let number =
            |key| in_query(query, key).and_then(|value| value.parse().ok()).filter(|value| *value > 0);
        Self { number: number("page").unwrap_or(1), size: number("per_page").unwrap_or(DEFAULT).min(MOST) }
    }

    /// The part of the list that is on this page.
    pub fn cut<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let start = (self.number - 1).saturating_mul(self.size).min(all.len());
        let end = start.saturating_add(self.size).min(all.len());
        &all[start..end]
    }

    /// The pages before and after this one, of a list of so many.
    pub fn beside(&self, total: usize) -> (Option<Self>, Option<Self>) {
        let last = total.div_ceil(self.size).max(1);
        let page = |number| Self { number, size: self.size };
        let before = (self.number > 1).then(|| page((self.number - 1).min(last)));
        (before, (self.number < last).then(|| page(self.number + 1)))
    }

    /// What asks for this page.
    pub fn query(&self) -> String {
        format!("per_page={}&page={}", self.size, self.number)
    }

    /// The Link header for a list of so many, if there is more than one page.
    pub fn link(&self, url: &str, total: usize) -> Option<String> {
        let last = total.div_ceil(self.size).max(1);
        if last == 1 && self.number == 1 {
            return None;
        }
        let to =
            |page: usize, rel: &str| format!("<{url}?per_page={}&page={page}>; rel=\"{rel}\"", self.size);
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(to((self.number - 1).min(last), "prev"));
        }
        if self.number < last {
            links.push(to(self.number + 1, "next"));
            links.push(to(last, "last"));
        }
        if self.number > 1 {
            links.push(to(1, "first"));
        }
        Some(links.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn page(query: &str) -> Page {
        Page::of(&format!("/x?{query}").parse().unwrap())
    }

    #[test]
    fn thirty_to_a_page_unless_asked_otherwise_and_never_above_a_hundred() {
        let all: Vec<u32> = (0..250).collect();
        assert_eq!(page("").cut(&all).len(), 30);
        assert_eq!(page("per_page=7&page=2").cut(&all), (7..14).collect::<Vec<_>>());
        assert_eq!(page("per_page=1000").cut(&all).len(), 100);
        assert_eq!(page("per_page=0&page=-1").cut(&all).len(), 30);
        assert_eq!(page("per_page=x&page=y").cut(&all)[0], 0);
        assert_eq!(page("page=9").cut(&all).len(), 10);
        assert!(page("page=10").cut(&all).is_empty());
        assert!(page("page=18446744073709551615").cut(&all).is_empty());
    }

    #[test]
    fn links_lead_to_the_neighbours_and_the_ends() {
        assert_eq!(page("").link("u", 30), None);
        let first = page("").link("u", 31).unwrap();
        assert_eq!(first, "<u?per_page=30&page=2>; rel=\"next\", <u?per_page=30&page=2>; rel=\"last\"");
        let middle = page("per_page=1&page=2").link("u", 3).unwrap();
        for rel in ["prev", "next", "last", "first"] {
            assert!(middle.contains(&format!("rel=\"{rel}\"")), "{middle}");
        }
        let last = page("page=2").link("u", 31).unwrap();
        assert!(!last.contains("next") && last.contains("prev"), "{last}");
    }
}
