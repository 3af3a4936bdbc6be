//! The vectors of `spec/vectors/ed25519`, which the board's verifier reads too.

use mpota_format::sshsig::verify;
use std::path::Path;

/// Bytes of hex digits; `-` stands for none.
fn unhex(text: &str) -> Vec<u8> {
    let digits = if text == "-" { "" } else { text };
    (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

#[test]
fn every_ed25519_vector_gets_the_verdict_that_it_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/ed25519");
    let mut read = 0;
    for file in ["valid", "invalid", "wycheproof"] {
        let text = std::fs::read_to_string(folder.join(file)).expect("the vectors");
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, key, message, signature] = words[..4] else { panic!("{file}: {line}") };
            let want = words.get(4).map_or(file == "valid", |verdict| *verdict == "valid");
            let got = match (unhex(key).try_into(), unhex(signature).try_into()) {
                (Ok(key), Ok(signature)) => verify(&key, &unhex(message), &signature),
                _ => false, // of another length than 32 and 64
            };
            assert_eq!(got, want, "{file}: {name}");
            read += 1;
        }
    }
    assert!(read > 600, "{read}");
    println!("vectors ed25519 {read}");
}
