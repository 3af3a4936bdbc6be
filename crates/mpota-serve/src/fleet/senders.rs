//! How many boards that were not known before one sender has brought in the last hour.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

const HOUR: u64 = 3600;
/// Senders that are remembered. When they are used up, new boards wait until an hour of some sender is over.
const MOST_SENDERS: usize = 10_000;

/// What senders have brought. The numbers are forgotten with the server.
#[derive(Default)]
pub(crate) struct Senders {
    /// When the hour began, and what was brought in it.
    hours: HashMap<Option<IpAddr>, (u64, u32)>,
}

impl Senders {
    /// Counts one more, or says that it is one too many.
    pub fn admit(&mut self, from: Option<IpAddr>, now: u64, most: u32) -> bool {
        let from = from.map(network);
        let over = |since: u64| now < since || now - since >= HOUR;
        if self.hours.len() >= MOST_SENDERS && !self.hours.contains_key(&from) {
            self.hours.retain(|_, (since, _)| !over(*since));
            if self.hours.len() >= MOST_SENDERS {
                return false;
            }
        }
        let hour = self.hours.entry(from).or_insert((now, 0));
        if over(hour.0) {
            *hour = (now, 0);
        }
        let admitted = hour.1 < most;
        if admitted {
            hour.1 += 1;
        }
        admitted
    }
}

/// Who has one address of IPv6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::{HOUR, MOST_SENDERS, Senders};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    #[test]
    fn a_sender_brings_so_many_an_hour_however_many_addresses_it_has() {
        let mut senders = Senders::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let brought =
            |senders: &mut Senders, from, now| (0..5).filter(|_| senders.admit(Some(from), now, 3)).count();
        assert_eq!(brought(&mut senders, one, 1_000), 3);
        assert_eq!(brought(&mut senders, one, 1_000 + HOUR - 1), 0);
        assert_eq!(brought(&mut senders, other, 1_000), 3);
        assert_eq!(brought(&mut senders, one, 1_000 + HOUR), 3, "a new hour");
        assert_eq!(brought(&mut senders, one, 10), 3, "a clock that was set back");
        let six = |last: u16| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));
        let all = (1..100).filter(|last| senders.admit(Some(six(*last)), 1_000, 3)).count();
        assert_eq!(all, 3);
        let mapped = IpAddr::from(Ipv4Addr::new(10, 0, 0, 2).to_ipv6_mapped());
        assert_eq!(brought(&mut senders, mapped, 1_000), 0);
    }

    #[test]
    fn many_senders_do_not_fill_the_memory() {
        let mut senders = Senders::default();
        let from = |number: usize| Some(IpAddr::from(u32::try_from(number).unwrap().to_be_bytes()));
        let admitted = (0..2 * MOST_SENDERS).filter(|n| senders.admit(from(*n), 50, 3)).count();
        assert_eq!((admitted, senders.hours.len()), (MOST_SENDERS, MOST_SENDERS));
        assert!(senders.admit(from(0), 50, 3), "who is remembered still may");
        assert!(senders.admit(from(2 * MOST_SENDERS), 50 + HOUR, 3));
        assert_eq!(senders.hours.len(), 1);
    }
}
