//! Reads Rust and TypeScript just well enough to tell code, strings and comments apart.

/// A string literal and where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    /// Line of its first character, counted from 1.
    pub(crate) line: usize,
    /// What is between the quotes, escapes untouched.
    pub(crate) text: String,
}

/// A source text taken apart. `code` and `comments` keep every line break, so lines still count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanned {
    /// The text with strings and comments blanked.
    pub(crate) code: String,
    /// Only the comments; everything else blanked.
    pub(crate) comments: String,
    /// The string literals in order.
    pub(crate) literals: Vec<Literal>,
}

/// Takes a Rust or TypeScript text apart.
pub(crate) fn scan(text: &str, rust: bool) -> Scanned {
    let mut scanner = Scanner {
        chars: text.chars().collect(),
        at: 0,
        line: 1,
        rust,
        out: Scanned::default(),
    };
    while scanner.at < scanner.chars.len() {
        scanner.step();
    }
    scanner.out
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    line: usize,
    rust: bool,
    out: Scanned,
}

impl Scanner {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Moves over one character, writing it to `code` or `comments` and a blank to the other.
    fn take(&mut self, code: bool, comment: bool) {
        let Some(c) = self.peek(0) else { return };
        let blank = if c == '\n' { '\n' } else { ' ' };
        self.out.code.push(if code { c } else { blank });
        self.out.comments.push(if comment { c } else { blank });
        if c == '\n' {
            self.line += 1;
        }
        self.at += 1;
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            (Some('/'), Some('/')) => {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.take(false, true);
                }
            }
            (Some('/'), Some('*')) => self.block_comment(),
            (Some('"'), _) => self.quoted('"'),
            (Some('\''), _) if self.rust => self.char_or_lifetime(),
            (Some('\''), _) => self.quoted('\''),
            (Some('`'), _) if !self.rust => self.quoted('`'),
            (Some('r'), Some('"' | '#')) if self.rust && !self.in_word() => self.raw_string(),
            _ => self.take(true, false),
        }
    }

    /// Whether the previous character belongs to the same identifier.
    fn in_word(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|i| self.chars.get(i));
        // `br"..."` is a raw string too.
        before.is_some_and(|c| (c.is_alphanumeric() && *c != 'b') || *c == '_')
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.peek(0) {
            let next = self.peek(1);
            if c == '/' && next == Some('*') {
                depth += 1;
                self.take(false, true);
            } else if c == '*' && next == Some('/') {
                depth = depth.saturating_sub(1);
                self.take(false, true);
            }
            self.take(false, true);
            // Only Rust nests block comments.
            if depth == 0 || (!self.rust && c == '*' && next == Some('/')) {
                return;
            }
        }
    }

    fn quoted(&mut self, quote: char) {
        let (line, mut text) = (self.line, String::new());
        self.take(false, false);
        while let Some(c) = self.peek(0) {
            // Outside Rust only a template spans lines; a stray quote (JSX text, a pattern) ends here.
            let stray = c == '\n' && !self.rust && quote != '`';
            if c == quote || stray {
                break;
            }
            if c == '\\' {
                text.push(c);
                self.take(false, false);
            }
            if let Some(c) = self.peek(0) {
                text.push(c);
            }
            self.take(false, false);
        }
        self.take(false, false);
        self.out.literals.push(Literal { line, text });
    }

    fn char_or_lifetime(&mut self) {
        let escaped = self.peek(1) == Some('\\');
        let plain = self.peek(2) == Some('\'');
        if !escaped && !plain {
            return self.take(true, false);
        }
        self.take(false, false);
        if escaped {
            self.take(false, false);
        }
        self.take(false, false);
        while self.peek(0).is_some_and(|c| c != '\'' && c != '\n') {
            self.take(false, false);
        }
        self.take(false, false);
    }

    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.peek(1 + hashes) == Some('#') {
            hashes += 1;
        }
        if self.peek(1 + hashes) != Some('"') {
            return self.take(true, false);
        }
        let (line, mut text) = (self.line, String::new());
        for _ in 0..hashes + 2 {
            self.take(false, false);
        }
        while let Some(c) = self.peek(0) {
            let closes = c == '"' && (1..=hashes).all(|i| self.peek(i) == Some('#'));
            if closes {
                break;
            }
            text.push(c);
            self.take(false, false);
        }
        for _ in 0..=hashes {
            self.take(false, false);
        }
        self.out.literals.push(Literal { line, text });
    }
}

/// The line ranges (first, last; counted from 1) of items under `#[cfg(test)]` in blanked code.
pub(crate) fn test_ranges(code: &str) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let mut from = 0;
    while let Some(offset) = code.get(from..).and_then(|rest| rest.find("#[cfg(test)]")) {
        let start = from + offset;
        let end = item_end(code, start);
        ranges.push((line_of(code, start), line_of(code, end)));
        from = end.max(start + 1);
    }
    ranges
}

/// Where the item that starts at byte `start` ends: its closing brace, or the `;` before any brace.
pub(crate) fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (i, c) in code.get(start..).unwrap_or_default().char_indices() {
        match c {
            ';' if depth == 0 => return start + i,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + i;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The line, counted from 1, of byte `at`.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}
