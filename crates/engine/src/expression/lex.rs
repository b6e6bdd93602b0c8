//! Text with placeholders to tokens.

use super::{Dialect, Error, MAX_TOKENS};
use crate::text::{Piece, Text};

/// A word, an operator or a bracket.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Quoted(Vec<Piece>),
    Bare(Vec<Piece>),
    /// Operators and brackets, by their spelling.
    Sign(&'static str),
}

/// Longest spellings first.
const SIGNS: [&str; 16] =
    ["==", "!=", "<=", ">=", "=~", "!~", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ","];

enum Symbol {
    Character(char),
    Reference(String),
}

/// Splits a text into tokens.
pub(super) fn tokens(text: &Text, dialect: Dialect) -> Result<Vec<Token>, Error> {
    let symbols = symbols(text);
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(symbol) = symbols.get(at) {
        if tokens.len() >= MAX_TOKENS {
            return Err(Error::TooLong);
        }
        match symbol {
            Symbol::Character(space) if space.is_whitespace() => at += 1,
            Symbol::Character(quote @ ('"' | '\'')) => {
                let (pieces, next) = quoted(&symbols, at + 1, *quote)?;
                tokens.push(Token::Quoted(pieces));
                at = next;
            }
            _ => {
                if let Some(sign) = SIGNS.iter().find(|sign| starts_with(&symbols, at, sign)) {
                    tokens.push(Token::Sign(sign));
                    at += sign.len();
                    continue;
                }
                let (pieces, next) = bare(&symbols, at, dialect);
                if next == at {
                    return Err(Error::Unexpected { found: describe(symbol) });
                }
                tokens.push(Token::Bare(pieces));
                at = next;
            }
        }
    }
    Ok(tokens)
}

fn symbols(text: &Text) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    for piece in &text.pieces {
        match piece {
            Piece::Literal(literal) => symbols.extend(literal.chars().map(Symbol::Character)),
            Piece::Reference(name) => symbols.push(Symbol::Reference(name.clone())),
        }
    }
    symbols
}

fn starts_with(symbols: &[Symbol], at: usize, sign: &str) -> bool {
    sign.chars().enumerate().all(|(offset, wanted)| {
        matches!(symbols.get(at + offset), Some(Symbol::Character(found)) if *found == wanted)
    })
}

fn quoted(symbols: &[Symbol], start: usize, quote: char) -> Result<(Vec<Piece>, usize), Error> {
    let mut pieces = Pieces::default();
    let mut at = start;
    loop {
        match symbols.get(at) {
            None => return Err(Error::UnclosedQuote),
            Some(Symbol::Character('\\')) => {
                if let Some(Symbol::Character(escaped)) = symbols.get(at + 1) {
                    pieces.push(*escaped);
                }
                at += 1;
            }
            Some(Symbol::Character(end)) if *end == quote => return Ok((pieces.finish(), at + 1)),
            Some(Symbol::Character(character)) => pieces.push(*character),
            Some(Symbol::Reference(name)) => pieces.refer(name),
        }
        at += 1;
    }
}

fn bare(symbols: &[Symbol], start: usize, dialect: Dialect) -> (Vec<Piece>, usize) {
    let mut pieces = Pieces::default();
    let mut at = start;
    while let Some(symbol) = symbols.get(at) {
        match symbol {
            Symbol::Character(character) if is_word(*character, at == start, dialect) => {
                pieces.push(*character);
            }
            Symbol::Reference(name) => pieces.refer(name),
            Symbol::Character(_) => break,
        }
        at += 1;
    }
    (pieces.finish(), at)
}

/// A minus is part of a task's name in `depends`, and of a negative number elsewhere.
fn is_word(character: char, first: bool, dialect: Dialect) -> bool {
    character.is_alphanumeric()
        || matches!(character, '_' | '.')
        || character == '-' && (first || dialect == Dialect::Depends)
}

fn describe(symbol: &Symbol) -> String {
    match symbol {
        Symbol::Character(character) => format!("{:?}", character.to_string()),
        Symbol::Reference(name) => format!("{{{{{name}}}}}"),
    }
}

#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    literal: String,
}

impl Pieces {
    fn push(&mut self, character: char) {
        self.literal.push(character);
    }

    fn refer(&mut self, name: &str) {
        if !self.literal.is_empty() {
            self.done.push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
        self.done.push(Piece::Reference(name.to_owned()));
    }

    fn finish(mut self) -> Vec<Piece> {
        if !self.literal.is_empty() {
            self.done.push(Piece::Literal(self.literal));
        }
        self.done
    }
}
