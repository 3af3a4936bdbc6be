//! Private keys without the lines around them, as boards read them.

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d];

/// Whether the whole file is a private key in DER: PKCS#1, PKCS#8 with or without a passphrase, SEC 1 or
/// PKCS#12. A certificate begins with a sequence in a sequence, and no number.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    let Some((0x30, all)) = element(bytes).map(|(tag, body, _)| (tag, body)) else { return false };
    let Some((tag, first, rest)) = element(all) else { return false };
    match (tag, first) {
        // A version, and then what shows the kind.
        (0x02, [0] | [1]) => match element(rest) {
            // PKCS#8: an algorithm and the key in a string.
            Some((0x30, _, key)) => element(key).is_some_and(|(tag, ..)| tag == 0x04),
            // PKCS#1: numbers.
            Some((0x02, modulus, _)) => first == [0] && modulus.len() >= 32,
            // SEC 1: the key of a curve.
            Some((0x04, key, _)) => first == [1] && key.len() >= 16,
            _ => false,
        },
        (0x02, [3]) => matches!(element(rest), Some((0x30, _, _))),
        // PKCS#8 with a passphrase: an algorithm of PKCS#5 or PKCS#12, and bytes.
        (0x30, algorithm) => {
            let by = element(algorithm).filter(|(tag, name, _)| {
                *tag == 0x06
                    && name.starts_with(RSA)
                    && matches!(name.get(6), Some(0x01))
                    && matches!(name.get(7), Some(5 | 12))
            });
            by.is_some() && element(rest).is_some_and(|(tag, _, end)| tag == 0x04 && end.is_empty())
        }
        _ => false,
    }
}

/// Tag and content of the first element, and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 3))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((tag, body, rest))
}
