//! Hexadecimal and base64 as signatures use them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::manifest::Encoding;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_encode_padding(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT.with_encode_padding(false));

/// Writes bytes: hexadecimal in lowercase, base64 padded, base64url unpadded.
pub fn encode(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Hex => {
            let mut out = String::with_capacity(bytes.len() * 2);
            for byte in bytes {
                for digit in [byte >> 4, byte & 15] {
                    out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
            out
        }
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Base64url => URL.encode(bytes),
    }
}

/// Reads bytes: hexadecimal of either case, base64 with or without padding.
pub fn decode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => {
            if !text.len().is_multiple_of(2) {
                return None;
            }
            let digit = |byte: u8| char::from(byte).to_digit(16);
            text.as_bytes()
                .chunks_exact(2)
                .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
                .collect()
        }
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Base64url => URL.decode(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses() {
        let bytes = [0_u8, 255, 16, 7];
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64url] {
            assert_eq!(decode(encoding, &encode(encoding, &bytes)).unwrap(), bytes);
        }
        assert_eq!(decode(Encoding::Hex, "00FF"), Some(vec![0, 255]));
        assert_eq!(decode(Encoding::Hex, "0"), None);
        assert_eq!(decode(Encoding::Hex, "zz"), None);
        assert_eq!(decode(Encoding::Base64, "*"), None);
    }
}
