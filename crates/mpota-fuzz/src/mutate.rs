//! Seeded mutations. The bytes of a single change come from `mutatis`; what it does not know are the lines, tokens
//! and numbers of our formats, without which hardly an input gets past a reader's first check.

use mutatis::Session;

/// Numbers at which readers go wrong.
const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "-1",
    "00",
    "01",
    "1.0",
    "1e3",
    "9",
    "10",
    "511",
    "512",
    "999999999",
    "1000000000",
    "4294967295",
    "4294967296",
    "16777216",
    "16777217",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
];

/// Text at which readers go wrong: escapes, other spellings, bytes that are not UTF-8.
const BYTES: [&[u8]; 24] = [
    b"\\",
    b"\"",
    b"\\u0041",
    b"\\u0000",
    b"\\ud800",
    b"\\/",
    b"\\n",
    b"\0",
    b"\x7f",
    b"\r\n",
    b"\n",
    b" ",
    b"..",
    b"/",
    "ü".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{10ffff}".as_bytes(),
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xff",
    b"\xe2\x82",
    b"null",
    b"[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Most bytes of a mutation: above every limit but that of a whole manifest.
const MOST: usize = 20_000;

/// Makes inputs out of seeds, the same ones for the same number.
#[derive(Debug)]
pub struct Mutator {
    rng: fastrand::Rng,
    session: Session,
    tokens: Vec<Vec<u8>>,
}

impl Mutator {
    /// A mutator with a number to start from, and the words of a format.
    #[must_use]
    pub fn new(seed: u64, tokens: &[&str]) -> Self {
        let tokens = tokens.iter().map(|token| token.as_bytes().to_vec()).collect();
        Self { rng: fastrand::Rng::with_seed(seed), session: Session::new().seed(seed), tokens }
    }

    /// A number below `most`; 0 where that is 0.
    pub fn below(&mut self, most: usize) -> usize {
        if most == 0 { 0 } else { self.rng.usize(..most) }
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// Where there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// One of the seeds with one to four changes, mostly one.
    pub fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.pick(seeds).clone();
        let more = if self.once_in(2) { self.below(4) } else { 0 };
        for _ in 0..=more {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(MOST);
        bytes
    }

    /// One change.
    pub fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        match self.below(12) {
            0 => drop(self.session.mutate(bytes)),
            1 => {
                let at = self.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            2 | 3 => self.line(bytes),
            4 | 5 => self.number(bytes),
            6 => self.swap_token(bytes),
            7 => {
                let tokens = std::mem::take(&mut self.tokens);
                if !tokens.is_empty() {
                    let token = self.pick(&tokens).clone();
                    self.insert(bytes, &token);
                }
                self.tokens = tokens;
            }
            8 => {
                let text = *self.pick(&BYTES);
                self.insert(bytes, text);
            }
            9 => {
                let (from, to) = self.range(bytes);
                drop(bytes.drain(from..to));
            }
            10 => self.repeat(bytes),
            _ => {
                let other = self.pick(seeds).clone();
                let (at, from) = (self.below(bytes.len() + 1), self.below(other.len() + 1));
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
        }
    }

    /// A short range, now and then a long one.
    fn range(&mut self, bytes: &[u8]) -> (usize, usize) {
        let from = self.below(bytes.len() + 1);
        let most = if self.once_in(4) { bytes.len() } else { 8 };
        (from, (from + self.below(most + 1)).min(bytes.len()))
    }

    fn insert(&mut self, bytes: &mut Vec<u8>, text: &[u8]) {
        let at = self.below(bytes.len() + 1);
        bytes.splice(at..at, text.iter().copied());
    }

    /// A piece comes again, once or until a line is too long.
    fn repeat(&mut self, bytes: &mut Vec<u8>) {
        let (from, to) = self.range(bytes);
        let most = *self.pick(&[1, 1, 2, 20, 600, 2100]);
        let times = (most / (to - from).max(1)).max(1);
        let piece = bytes[from..to].repeat(times);
        bytes.splice(to..to, piece);
    }

    /// A line goes, comes twice, or changes places with another.
    fn line(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
        if lines.is_empty() {
            return;
        }
        let (a, b) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(4) {
            0 => drop(lines.remove(a)),
            1 => lines.insert(b, lines[a].clone()),
            2 => lines.swap(a, b),
            _ => lines.truncate(a),
        }
        *bytes = lines.concat();
    }

    /// A number becomes another.
    fn number(&mut self, bytes: &mut Vec<u8>) {
        let starts: Vec<usize> = (0..bytes.len())
            .filter(|&i| bytes[i].is_ascii_digit() && (i == 0 || !bytes[i - 1].is_ascii_digit()))
            .collect();
        if starts.is_empty() {
            return;
        }
        let from = *self.pick(&starts);
        let to = from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let digits = String::from_utf8_lossy(&bytes[from..to]).into_owned();
        let number = match (self.below(5), digits.parse::<u64>()) {
            (0, Ok(n)) => n.wrapping_add(1).to_string(),
            (1, Ok(n)) => n.wrapping_sub(1).to_string(),
            (2, _) => "9".repeat(1 + self.below(40)),
            _ => (*self.pick(&NUMBERS)).to_owned(),
        };
        bytes.splice(from..to, number.bytes());
    }

    /// A word of the format becomes another.
    fn swap_token(&mut self, bytes: &mut Vec<u8>) {
        let find = |token: &Vec<u8>| bytes.windows(token.len().max(1)).position(|part| part == &token[..]);
        let there: Vec<(usize, usize)> =
            self.tokens.iter().filter_map(|token| Some((find(token)?, token.len()))).collect();
        if there.is_empty() {
            return;
        }
        let (at, length) = *self.pick(&there);
        let tokens = std::mem::take(&mut self.tokens);
        let new = self.pick(&tokens).clone();
        self.tokens = tokens;
        bytes.splice(at..at + length, new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_inputs_and_another_gives_others() {
        let seeds = [b"{\"a\":12}\n{\"b\":3}\n".to_vec(), b"x\n".to_vec()];
        let inputs = |seed| {
            let mut mutator = Mutator::new(seed, &["\"a\"", "null"]);
            (0..200).map(|_| mutator.input(&seeds)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let different: std::collections::HashSet<_> = inputs(1).into_iter().collect();
        assert!(different.len() > 120, "{}", different.len());
    }
}
