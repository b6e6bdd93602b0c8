//! Tokens to a tree, by precedence: `||`, `&&`, comparison, `!`.
//!
//! `&&` and `||` become lists rather than chains, so that only brackets, `!` and calls make a tree deeper.

use super::lex::{Token, tokens};
use super::{Comparison, Dialect, Error, Expression, MAX_DEPTH};
use crate::text::{Piece, Text};

/// Parses an expression.
pub(crate) fn parse(text: &Text, dialect: Dialect) -> Result<Expression, Error> {
    let mut parser = Parser { tokens: tokens(text, dialect)?, at: 0, depth: 0, dialect };
    let expression = parser.any()?;
    match parser.next() {
        None => Ok(expression),
        Some(token) => Err(unexpected(&token)),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    dialect: Dialect,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Takes an operator by its sign, or by its word where expr-lang has one.
    fn accept(&mut self, sign: &str, word: Option<&str>) -> bool {
        let found = match self.peek() {
            Some(Token::Sign(found)) => *found == sign,
            Some(Token::Bare(pieces)) => {
                self.dialect == Dialect::Retry && word.is_some() && literal(pieces) == word
            }
            Some(Token::Quoted(_)) | None => false,
        };
        if found {
            self.at += 1;
        }
        found
    }

    fn any(&mut self) -> Result<Expression, Error> {
        let mut operands = vec![self.all()?];
        while self.accept("||", Some("or")) {
            operands.push(self.all()?);
        }
        Ok(single_or(operands, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, Error> {
        let mut operands = vec![self.comparison()?];
        while self.accept("&&", Some("and")) {
            operands.push(self.comparison()?);
        }
        Ok(single_or(operands, Expression::All))
    }

    fn comparison(&mut self) -> Result<Expression, Error> {
        let left = self.unary()?;
        if self.dialect == Dialect::Depends {
            return Ok(left);
        }
        if let Some(Token::Bare(pieces)) = self.peek()
            && literal(pieces) == Some("in")
        {
            self.at += 1;
            return Ok(Expression::In(Box::new(left), self.list()?));
        }
        let comparison = match self.peek() {
            Some(Token::Sign("==")) => Comparison::Equal,
            Some(Token::Sign("!=")) => Comparison::NotEqual,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::LessOrEqual,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::GreaterOrEqual,
            Some(Token::Sign("=~")) if self.dialect == Dialect::When => Comparison::Matches,
            Some(Token::Sign("!~")) if self.dialect == Dialect::When => Comparison::MatchesNot,
            _ => return Ok(left),
        };
        self.at += 1;
        let right = self.unary()?;
        Ok(Expression::Compare(comparison, Box::new(left), Box::new(right)))
    }

    /// The list after `in`: `(…)` in `when`, `[…]` in a retry expression.
    fn list(&mut self) -> Result<Vec<Expression>, Error> {
        let (open, close) = match self.dialect {
            Dialect::Retry => ("[", "]"),
            Dialect::When | Dialect::Depends => ("(", ")"),
        };
        self.expect(open)?;
        let mut items = Vec::new();
        loop {
            items.push(self.unary()?);
            if !self.accept(",", None) {
                break;
            }
        }
        self.expect(close)?;
        Ok(items)
    }

    fn unary(&mut self) -> Result<Expression, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let expression = if self.accept("!", Some("not")) {
            Expression::Not(Box::new(self.unary()?))
        } else {
            self.operand()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn operand(&mut self) -> Result<Expression, Error> {
        match self.next().ok_or(Error::Incomplete)? {
            Token::Sign("(") => {
                let inner = self.any()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Quoted(pieces) if self.dialect != Dialect::Depends => {
                Ok(Expression::Quoted(pieces))
            }
            Token::Bare(pieces) => self.word(pieces),
            token => Err(unexpected(&token)),
        }
    }

    fn word(&mut self, pieces: Vec<Piece>) -> Result<Expression, Error> {
        let Some(word) = literal(&pieces) else {
            return match self.dialect {
                Dialect::When => Ok(Expression::Bare(pieces)),
                Dialect::Depends | Dialect::Retry => Err(unexpected(&Token::Bare(pieces))),
            };
        };
        if self.dialect == Dialect::Depends {
            return Ok(Expression::Name(word.to_owned()));
        }
        if let Ok(truth) = word.parse() {
            return Ok(Expression::Boolean(truth));
        }
        if let Some(number) = number(word) {
            return Ok(Expression::Number(number));
        }
        match (self.dialect, word) {
            (_, word) if word.starts_with('-') => Err(unexpected(&Token::Bare(pieces))),
            (Dialect::Retry, "asInt" | "asFloat" | "int" | "float") => {
                self.expect("(")?;
                let inner = self.unary()?;
                self.expect(")")?;
                Ok(Expression::ToNumber(Box::new(inner)))
            }
            (Dialect::Retry, _) => Ok(Expression::Name(word.to_owned())),
            (Dialect::When | Dialect::Depends, _) => Ok(Expression::Quoted(pieces)),
        }
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Error> {
        match self.next() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            Some(token) => Err(unexpected(&token)),
            None => Err(Error::Incomplete),
        }
    }
}

/// Reads a number; words that Rust would read as one (`inf`, `NaN`) are none.
pub(super) fn number(word: &str) -> Option<f64> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.starts_with(|first: char| first.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

fn literal(pieces: &[Piece]) -> Option<&str> {
    match pieces {
        [Piece::Literal(text)] => Some(text),
        _ => None,
    }
}

fn single_or(
    mut operands: Vec<Expression>,
    combine: fn(Vec<Expression>) -> Expression,
) -> Expression {
    match operands.pop() {
        Some(only) if operands.is_empty() => only,
        Some(last) => {
            operands.push(last);
            combine(operands)
        }
        None => combine(operands),
    }
}

fn unexpected(token: &Token) -> Error {
    let found = match token {
        Token::Sign(sign) => format!("{sign:?}"),
        Token::Quoted(pieces) | Token::Bare(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Reference(name) => format!("{{{{{name}}}}}"),
            })
            .collect(),
    };
    Error::Unexpected { found }
}
