//! How many files the system lets this program have open: each connection is one, and may read another.

/// What is open besides connections: sockets that listen, folders that are read, uploads, a log.
const OTHERS: usize = 64;
const EACH: usize = 2;

/// How many of the wanted connections there can be at a time. Raises the program's own limit if that is enough; says
/// what to do if it is not.
pub(crate) fn connections(wanted: usize) -> (usize, Option<String>) {
    let needed = wanted.saturating_mul(EACH).saturating_add(OTHERS);
    let allowed = rlimit::increase_nofile_limit(needed as u64).unwrap_or(u64::MAX);
    fit(wanted, usize::try_from(allowed).unwrap_or(usize::MAX))
}

fn fit(wanted: usize, allowed: usize) -> (usize, Option<String>) {
    let fit = (allowed.saturating_sub(OTHERS) / EACH).clamp(1, wanted.max(1));
    let problem = (fit < wanted).then(|| {
        let needed = wanted.saturating_mul(EACH).saturating_add(OTHERS);
        format!(
            "the system allows this program {allowed} open files: {fit} connections at a time instead of {wanted}, \
             and others wait. `ulimit -Hn {needed}` raises the limit, if the system lets it"
        )
    });
    (fit, problem)
}

#[cfg(test)]
mod tests {
    use super::{EACH, OTHERS, connections, fit};

    #[test]
    fn a_low_limit_means_fewer_connections_and_is_said() {
        let cases = [
            (2048, 1_000_000, 2048, false),
            (2048, 2048 * EACH + OTHERS, 2048, false),
            (2048, 1024, 480, true),
            (2048, 10, 1, true),
            (0, 1024, 1, false),
        ];
        for (wanted, allowed, expected, said) in cases {
            let (got, problem) = fit(wanted, allowed);
            assert_eq!((got, problem.is_some()), (expected, said), "{wanted} of {allowed}: {problem:?}");
            if let Some(problem) = problem {
                assert!(problem.contains(&format!("`ulimit -Hn {}`", 2048 * EACH + OTHERS)), "{problem}");
            }
        }
        println!("  cases {}: limits of open files", cases.len());
    }

    #[cfg(unix)]
    #[test]
    fn the_programs_own_limit_is_raised() {
        let (_, hard) = rlimit::getrlimit(rlimit::Resource::NOFILE).unwrap();
        let wanted = (usize::try_from(hard).unwrap().min(4096) - OTHERS) / EACH;
        assert_eq!(connections(wanted), (wanted, None));
        let (soft, _) = rlimit::getrlimit(rlimit::Resource::NOFILE).unwrap();
        assert!(soft as usize >= wanted * EACH + OTHERS, "{soft}");
    }
}
