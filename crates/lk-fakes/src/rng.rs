//! Repeatable chance: the same seed gives the same story.

use lk_core::Time;

/// A small, fast generator (SplitMix64). For examples and tests, never for secrets.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator that always gives the same numbers for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as u64 + 1) as i64
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// About `mean`, from 0.6 to 1.4 times it.
    pub fn about(&mut self, mean: i64) -> i64 {
        mean * self.between(60, 140) / 100
    }

    /// Lowercase hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit(self.below(16) as u32, 16).unwrap_or('0'))
            .collect()
    }

    /// Letters and digits, as many identifiers of providers have.
    pub fn alphanumeric(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(*self.pick(LETTERS))).collect()
    }

    /// A UUID's text (version 4's form).
    pub fn uuid(&mut self) -> String {
        let variant = self.pick(&["8", "9", "a", "b"]);
        let digits = self.hex(30);
        let (time, rest) = digits.split_at(12);
        format!(
            "{}-{}-4{}-{variant}{}-{}",
            &time[..8],
            &time[8..],
            &rest[..3],
            &rest[3..6],
            &rest[6..]
        )
    }

    /// A ULID's text for the moment `at`.
    pub fn ulid(&mut self, at: Time) -> String {
        const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let time = (0..10).rev().map(|place| ((at.ms() as u64) >> (5 * place)) & 31);
        let chance: Vec<u64> = (0..16).map(|_| self.below(32)).collect();
        time.chain(chance)
            .map(|digit| char::from(CROCKFORD[digit as usize]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers = |seed| {
            let mut rng = Rng::new(seed);
            (0..9).map(|_| rng.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut rng = Rng::new(1);
        for _ in 0..2_000 {
            assert!((-2..=3).contains(&rng.between(-2, 3)));
            assert!((60..=140).contains(&rng.about(100)));
        }
        assert_eq!((rng.below(0), rng.below(1)), (0, 0));
    }

    #[test]
    fn identifiers_have_their_form() {
        let mut rng = Rng::new(2);
        let uuid = rng.uuid();
        assert_eq!((uuid.len(), uuid.matches('-').count(), &uuid[14..15]), (36, 4, "4"));
        let ulid = rng.ulid(Time(1_469_918_176_385));
        assert!(ulid.starts_with("01ARYZ6S41") && ulid.len() == 26, "{ulid}");
    }
}
