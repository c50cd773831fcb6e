//! The canaries: made by number, each of them unique and invalid for anybody but a pattern.

/// How many are planted.
pub(super) const COUNT: usize = 200;
/// Kinds of canaries; the number of a canary modulo this is its kind.
const KINDS: usize = 20;

/// One secret or personal data item.
pub(super) struct Canary {
    /// What it is.
    pub(super) kind: &'static str,
    /// The key it stands under; without one it is recognised by its shape wherever it stands.
    pub(super) key: Option<&'static str>,
    /// What is planted.
    pub(super) text: String,
    /// What may not be found afterwards.
    pub(super) needles: Vec<String>,
}

/// The key that stands for one which the provider's manifest declares.
pub(super) const DECLARED: &str = "<declared>";

impl Canary {
    fn anywhere(kind: &'static str, text: String, secret: String) -> Self {
        Self {
            kind,
            key: None,
            needles: vec![text.clone(), secret],
            text,
        }
    }

    fn whole(kind: &'static str, text: String) -> Self {
        Self::anywhere(kind, text.clone(), text)
    }

    fn under(kind: &'static str, key: &'static str, text: String) -> Self {
        Self {
            key: Some(key),
            ..Self::whole(kind, text)
        }
    }

    /// Whether it can be written into a header.
    pub(super) fn fits_a_header(&self) -> bool {
        !self.text.contains('\n')
    }
}

/// All of them, in an order that mixes the kinds.
pub(super) fn all() -> Vec<Canary> {
    (0..COUNT).map(canary).collect()
}

fn canary(n: usize) -> Canary {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(n as u64 + 1));
    let dice = &mut dice;
    let round = n / KINDS;
    match n % KINDS {
        0 => Canary::whole("card", card("4", 16, dice)),
        1 => {
            let plain = card("52", 16, dice);
            let spaced = format!("{} {} {} {}", &plain[..4], &plain[4..8], &plain[8..12], &plain[12..]);
            Canary::anywhere("spaced card", spaced, plain)
        }
        2 => {
            let plain = card("37", 15, dice);
            let dashed = format!("{}-{}-{}", &plain[..4], &plain[4..10], &plain[10..]);
            Canary::anywhere("dashed card", dashed, plain)
        }
        3 => {
            let (area, group, serial) = (dice.below(500) + 100, dice.below(99) + 1, dice.below(9_999) + 1);
            Canary::whole("social security number", format!("{area:03}-{group:02}-{serial:04}"))
        }
        4 => {
            let local = format!("{}.{}", dice.letters(7), dice.letters(9));
            Canary::anywhere("e-mail address", format!("{local}@mail.example.com"), local)
        }
        5 => {
            let (area, exchange, line) = (dice.below(700) + 200, dice.below(700) + 200, dice.below(10_000));
            Canary::whole(
                "phone",
                if round.is_multiple_of(2) {
                    format!("+1 {area} {exchange} {line:04}")
                } else {
                    format!("({area}) {exchange}-{line:04}")
                },
            )
        }
        6 => Canary::whole("IBAN", iban(dice)),
        7 => {
            let (claims, signature) = (dice.word(40), dice.word(43));
            let text = format!("ey{}.{claims}.{signature}", "JhbGciOiJIUzI1NiJ9");
            Canary::anywhere("JWT", text, signature)
        }
        8 => {
            let key = dice.word(64);
            let text = format!("-----BEGIN {0} KEY-----\n{key}\n-----END {0} KEY-----", "PRIVATE");
            Canary::anywhere("PEM", text, key)
        }
        9 => token(round, dice),
        rest => told_by_words(rest, round, dice),
    }
}

/// Kinds that a word before them, or the key above them, gives away.
fn told_by_words(kind: usize, round: usize, dice: &mut Dice) -> Canary {
    let secret = dice.word(24);
    match kind {
        10 => {
            let text = format!("postgres://ledger:{secret}@db.example.com:5432/books");
            Canary::anywhere("password in an address", text, secret)
        }
        11 => Canary::anywhere("bearer token", format!("Authorization: Bearer {secret}"), secret),
        12 => {
            let text = format!("Authorization: Basic {}", super::base64(&format!("ledger:{secret}")));
            Canary::anywhere("basic credentials", text, secret)
        }
        13 => {
            let text = format!("https://api.example.com/v1/x?api_key={secret}&page=2");
            Canary::anywhere("key in a query", text, secret)
        }
        14 => Canary::anywhere("password in prose", format!("password: {secret}"), secret),
        15 => {
            let text = format!("sid={secret}; Path=/; HttpOnly");
            Canary {
                key: Some("set_cookie"),
                ..Canary::anywhere("cookie", text, secret)
            }
        }
        16 => {
            let key = ["first_name", "lastName", "full_name", "cardholder_name"][round % 4];
            Canary::under("name", key, dice.name())
        }
        17 => Canary::under("what the manifest declares", DECLARED, dice.name()),
        18 => {
            let key = ["home_address", "street", "mailing_address"][round % 3];
            let text = format!("{} {} Lane", dice.below(9_000) + 100, dice.name());
            Canary::under("address", key, text)
        }
        _ => {
            let key = ["account_number", "passport_number", "ssn", "client_secret", "api_key"][round % 5];
            Canary::under("number or secret under its key", key, dice.digits(11))
        }
    }
}

/// A token in the shape of a well-known service, put together here so that none stands in a file.
fn token(round: usize, dice: &mut Dice) -> Canary {
    let tail = dice.word(36);
    let text = match round {
        0 => format!("sk_{}_{tail}", "live"),
        1 => format!("gh{}_{tail}", "p"),
        2 => format!("xo{}-123456789012-{tail}", "xb"),
        3 => format!("wh{}_{tail}", "sec"),
        4 => format!("github{}_{tail}", "_pat"),
        5 => format!("sk{}{tail}", "-"),
        6 => format!("h{}_{tail}", "f"),
        7 => format!("AI{}{tail}", "za"),
        8 => format!("ya{}.{tail}", "29"),
        _ => format!("https://hooks.example.com/services/T{0}/B{0}/{tail}", "0ABCDEF12"),
    };
    Canary::anywhere("provider's token", text, tail)
}

/// A number with the brand's first digits and the right check digit.
fn card(head: &str, length: usize, dice: &mut Dice) -> String {
    let body = format!("{head}{}", dice.digits(length - 1 - head.len()));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(digit - b'0') << ((at + 1) % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// A German IBAN with the right check digits.
fn iban(dice: &mut Dice) -> String {
    let account = dice.digits(18);
    // D is 13 and E is 14; the check digits count as 00.
    let rest = format!("{account}131400")
        .bytes()
        .fold(0_u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("DE{:02}{account}", 98 - rest)
}

/// Repeatable randomness (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn from(&mut self, letters: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(letters[self.below(letters.len() as u64) as usize]))
            .collect()
    }

    fn letters(&mut self, length: usize) -> String {
        self.from(b"abcdefghijklmnopqrstuvwxyz", length)
    }

    fn digits(&mut self, length: usize) -> String {
        let first = self.from(b"123456789", 1);
        first + &self.from(b"0123456789", length - 1)
    }

    /// Letters and digits, some of each.
    fn word(&mut self, length: usize) -> String {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        format!("q7R{}", self.from(letters, length - 3))
    }

    /// A name nobody has.
    fn name(&mut self) -> String {
        let (first, last) = (self.letters(6), self.letters(9));
        format!("Z{first} Y{last}")
    }
}
