//! Expressions as trees.

use super::lex::{Token, lex};
use crate::model::Lapse;
use regex::Regex;

/// How deep an expression may be nested.
const DEEPEST: usize = 64;

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A number.
    Number(f64),
    /// Series, at an instant or over a range up to it.
    Series { matchers: Vec<Matcher>, range: Option<Lapse>, offset: Lapse },
    /// A function of a range.
    Call(Function, Box<Expr>),
    /// `histogram_quantile(share, buckets)`
    Quantile(Box<Expr>, Box<Expr>),
    /// Many series made few.
    Aggregate { how: How, labels: Vec<String>, without: bool, of: Box<Expr> },
    /// Two made one.
    Binary(Sign, Box<Expr>, Box<Expr>),
}

/// Functions of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Rate,
    Increase,
    Irate,
    Delta,
    Avg,
    Max,
    Min,
    Sum,
    Count,
    Last,
}

/// Ways to make many series few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Sum,
    Avg,
    Max,
    Min,
    Count,
}

/// Signs between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Equal,
    Unequal,
    Above,
    Below,
    AtLeast,
    AtMost,
}

const FUNCTIONS: &[(&str, Function)] = &[
    ("rate", Function::Rate),
    ("increase", Function::Increase),
    ("irate", Function::Irate),
    ("delta", Function::Delta),
    ("avg_over_time", Function::Avg),
    ("max_over_time", Function::Max),
    ("min_over_time", Function::Min),
    ("sum_over_time", Function::Sum),
    ("count_over_time", Function::Count),
    ("last_over_time", Function::Last),
];

const AGGREGATES: &[(&str, How)] =
    &[("sum", How::Sum), ("avg", How::Avg), ("max", How::Max), ("min", How::Min), ("count", How::Count)];

/// Signs with how strongly they bind.
const BINARY: &[(&str, Sign, u8)] = &[
    ("==", Sign::Equal, 1),
    ("!=", Sign::Unequal, 1),
    (">", Sign::Above, 1),
    ("<", Sign::Below, 1),
    (">=", Sign::AtLeast, 1),
    ("<=", Sign::AtMost, 1),
    ("+", Sign::Add, 2),
    ("-", Sign::Sub, 2),
    ("*", Sign::Mul, 3),
    ("/", Sign::Div, 3),
    ("%", Sign::Mod, 3),
    ("^", Sign::Pow, 4),
];

/// What a label must be.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// The label.
    pub label: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Is(String),
    IsNot(String),
    Like(Regex),
    Unlike(Regex),
}

impl Matcher {
    fn new(label: String, sign: &str, value: String) -> Result<Self, String> {
        let regex =
            |v: &str| Regex::new(&format!("^(?s:{v})$")).map_err(|_| format!("invalid regular expression {v:?}"));
        let test = match sign {
            "=" => Test::Is(value),
            "!=" => Test::IsNot(value),
            "=~" => Test::Like(regex(&value)?),
            _ => Test::Unlike(regex(&value)?),
        };
        Ok(Self { label, test })
    }

    /// Whether a value will do; a label that is not there is an empty one.
    pub fn fits(&self, value: &str) -> bool {
        match &self.test {
            Test::Is(v) => v == value,
            Test::IsNot(v) => v != value,
            Test::Like(r) => r.is_match(value),
            Test::Unlike(r) => !r.is_match(value),
        }
    }
}

/// Reads an expression; what is wrong with it, in words.
pub fn parse(text: &str) -> Result<Expr, String> {
    let tokens = lex(text)?;
    let mut parser = Parser { rest: &tokens, depth: 0 };
    let expr = parser.binary(0)?;
    match parser.rest.first() {
        None => Ok(expr),
        Some(token) => Err(format!("unexpected {}", shown(token))),
    }
}

/// Reads the matchers of a bare selector, as `match[]` has it.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, String> {
    match parse(text)? {
        Expr::Series { matchers, range: None, .. } => Ok(matchers),
        _ => Err("a selector is expected".to_owned()),
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(n) => n.clone(),
        Token::Number(n) => n.to_string(),
        Token::Length(l) => format!("{}s", l.as_secs_f64()),
        Token::Text(t) => format!("{t:?}"),
        Token::Sign(s) => format!("{s:?}"),
    }
}

struct Parser<'t> {
    rest: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Result<Token, String> {
        let (first, rest) = self.rest.split_first().ok_or("unexpected end of input")?;
        self.rest = rest;
        Ok(first.clone())
    }

    fn eat(&mut self, sign: &str) -> bool {
        let yes = matches!(self.rest.first(), Some(Token::Sign(s)) if *s == sign);
        if yes {
            self.rest = &self.rest[1..];
        }
        yes
    }

    fn need(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) {
            return Ok(());
        }
        Err(self.rest.first().map_or(format!("unexpected end of input, {sign} is expected"), |t| {
            format!("unexpected {}, {sign} is expected", shown(t))
        }))
    }

    fn binary(&mut self, least: u8) -> Result<Expr, String> {
        let mut left = self.unary()?;
        loop {
            let found = match self.rest.first() {
                Some(Token::Sign(s)) => BINARY.iter().find(|(b, _, strength)| b == s && *strength > least),
                _ => None,
            };
            let Some((_, sign, strength)) = found else { return Ok(left) };
            self.rest = &self.rest[1..];
            if let Some(Token::Name(word)) = self.rest.first()
                && ["bool", "on", "ignoring"].contains(&word.as_str())
            {
                return Err(format!("{word} is not supported here"));
            }
            // A power binds to the right.
            let right = self.binary(if *sign == Sign::Pow { strength - 1 } else { *strength })?;
            left = Expr::Binary(*sign, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the expression is nested too deeply".to_owned());
        }
        let expr = if self.eat("-") {
            // Weaker than a power, stronger than a product.
            let of = self.binary(3)?;
            Expr::Binary(Sign::Mul, Box::new(Expr::Number(-1.0)), Box::new(of))
        } else if self.eat("+") {
            self.binary(3)?
        } else {
            self.single()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn single(&mut self) -> Result<Expr, String> {
        if self.eat("(") {
            let expr = self.binary(0)?;
            self.need(")")?;
            return Ok(expr);
        }
        if self.eat("{") {
            let matchers = self.matchers()?;
            return self.series(matchers);
        }
        match self.next()? {
            Token::Number(n) => Ok(Expr::Number(n)),
            Token::Name(name) => self.named(name),
            other => Err(format!("unexpected {}", shown(&other))),
        }
    }

    fn named(&mut self, name: String) -> Result<Expr, String> {
        if let Some((_, how)) = AGGREGATES.iter().find(|(n, _)| *n == name) {
            return self.aggregate(*how);
        }
        if self.eat("(") {
            return self.call(&name);
        }
        match name.to_ascii_lowercase().as_str() {
            "inf" => return Ok(Expr::Number(f64::INFINITY)),
            "nan" => return Ok(Expr::Number(f64::NAN)),
            _ => {}
        }
        let mut matchers = vec![Matcher::new("__name__".to_owned(), "=", name)?];
        if self.eat("{") {
            matchers.extend(self.matchers()?);
        }
        self.series(matchers)
    }

    fn call(&mut self, name: &str) -> Result<Expr, String> {
        if name == "histogram_quantile" {
            let share = self.binary(0)?;
            self.need(",")?;
            let buckets = self.binary(0)?;
            self.need(")")?;
            return Ok(Expr::Quantile(Box::new(share), Box::new(buckets)));
        }
        let found = FUNCTIONS.iter().find(|(n, _)| *n == name);
        let (_, function) = found.ok_or_else(|| format!("unknown function with name {name:?}"))?;
        let of = self.binary(0)?;
        self.need(")")?;
        if !matches!(of, Expr::Series { range: Some(_), .. }) {
            return Err(format!("expected type range vector in call to function {name:?}"));
        }
        Ok(Expr::Call(*function, Box::new(of)))
    }

    fn aggregate(&mut self, how: How) -> Result<Expr, String> {
        let before = self.grouping()?;
        self.need("(")?;
        let of = Box::new(self.binary(0)?);
        self.need(")")?;
        let grouping = match before {
            Some(g) => Some(g),
            None => self.grouping()?,
        };
        let (without, labels) = grouping.unwrap_or_default();
        Ok(Expr::Aggregate { how, labels, without, of })
    }

    fn grouping(&mut self) -> Result<Option<(bool, Vec<String>)>, String> {
        let without = match self.rest.first() {
            Some(Token::Name(n)) if n == "by" => false,
            Some(Token::Name(n)) if n == "without" => true,
            _ => return Ok(None),
        };
        self.rest = &self.rest[1..];
        self.need("(")?;
        let mut labels = Vec::new();
        while !self.eat(")") {
            match self.next()? {
                Token::Name(label) => labels.push(label),
                other => return Err(format!("unexpected {} in a list of labels", shown(&other))),
            }
            if !self.eat(",") {
                self.need(")")?;
                break;
            }
        }
        Ok(Some((without, labels)))
    }

    fn matchers(&mut self) -> Result<Vec<Matcher>, String> {
        let mut all = Vec::new();
        while !self.eat("}") {
            let (Token::Name(label), Token::Sign(sign)) = (self.next()?, self.next()?) else {
                return Err("a label and a sign are expected in a selector".to_owned());
            };
            if !["=", "!=", "=~", "!~"].contains(&sign) {
                return Err(format!("unexpected {sign:?} in a selector"));
            }
            let Token::Text(value) = self.next()? else {
                return Err("a text in quotes is expected in a selector".to_owned());
            };
            all.push(Matcher::new(label, sign, value)?);
            if !self.eat(",") {
                self.need("}")?;
                break;
            }
        }
        Ok(all)
    }

    fn series(&mut self, matchers: Vec<Matcher>) -> Result<Expr, String> {
        if matchers.iter().all(|m| m.fits("")) {
            return Err("a selector must have a matcher that an empty text does not fit".to_owned());
        }
        let mut range = None;
        if self.eat("[") {
            range = Some(self.length()?);
            self.need("]")?;
        }
        let mut offset = Lapse::ZERO;
        if matches!(self.rest.first(), Some(Token::Name(n)) if n == "offset") {
            self.rest = &self.rest[1..];
            offset = self.length()?;
        }
        Ok(Expr::Series { matchers, range, offset })
    }

    fn length(&mut self) -> Result<Lapse, String> {
        match self.next()? {
            Token::Length(length) => Ok(length),
            other => Err(format!("unexpected {}, a duration is expected", shown(&other))),
        }
    }
}
