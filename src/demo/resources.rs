//! A few resources of the kind that an APS platform has, and as much of its query language (RQL) as they need.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

const RESOURCES: &str = "/aps/2/resources";
const ORDERS: &str = "/aps/2/services/order-manager/orders";

/// Orders that are kept; a demonstration that is left running must not grow without end.
const MAX_ORDERS: usize = 1000;

/// The platform's resources; they live as long as the process.
#[derive(Debug)]
pub(super) struct Resources {
    resources: Vec<Value>,
    orders: Vec<Value>,
}

/// Why something can't be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("there is nothing at this path; try {RESOURCES} or {ORDERS}")]
    NotFound,
    #[error("this path does not take that method")]
    Method,
    #[error("the RQL parser does not know {0:?}; what it knows must not be percent-encoded")]
    Query(String),
    #[error("an order is a JSON object with a \"type\" and a list of \"products\"")]
    Order,
    #[error("this demonstration keeps {MAX_ORDERS} orders, no more")]
    Full,
}

impl Trouble {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Query(_) | Self::Order => StatusCode::BAD_REQUEST,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
        }
    }
}

impl Resources {
    pub(super) fn new() -> Self {
        let resource = |name: &str, kind: &str| {
            json!({
                "aps": {
                    "id": uuid(),
                    "type": format!("http://aps-standard.org/types/core/{kind}/1.0"),
                    "status": "aps:ready",
                },
                "name": name,
            })
        };
        Self {
            resources: vec![
                resource("Galaxy", "resource"),
                resource("alpha tenant", "resource"),
                resource("Beta tenant", "resource"),
                resource("Customer Ltd", "account"),
            ],
            orders: Vec::new(),
        }
    }

    /// Does what a request asks for.
    pub(super) fn perform(
        &mut self,
        method: &Method,
        target: &str,
        body: &[u8],
    ) -> Result<(StatusCode, Value), Trouble> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_suffix('/').unwrap_or(path);
        match (path, method) {
            (RESOURCES, &Method::GET | &Method::HEAD) => {
                Ok((StatusCode::OK, select(&self.resources, query)?))
            }
            (ORDERS, &Method::GET | &Method::HEAD) => {
                Ok((StatusCode::OK, select(&self.orders, query)?))
            }
            (ORDERS, &Method::POST) => self.place_order(body),
            (RESOURCES | ORDERS, _) => Err(Trouble::Method),
            _ => {
                let id = path
                    .strip_prefix(RESOURCES)
                    .and_then(|id| id.strip_prefix('/'));
                let found = self.resources.iter().find(|resource| {
                    id.is_some_and(|id| resource.pointer("/aps/id") == Some(&json!(id)))
                });
                found
                    .map(|found| (StatusCode::OK, found.clone()))
                    .ok_or(Trouble::NotFound)
            }
        }
    }

    fn place_order(&mut self, body: &[u8]) -> Result<(StatusCode, Value), Trouble> {
        let mut order: Value = serde_json::from_slice(body).map_err(|_| Trouble::Order)?;
        if !order["type"].is_string() || !order["products"].is_array() {
            return Err(Trouble::Order);
        }
        if self.orders.len() == MAX_ORDERS {
            return Err(Trouble::Full);
        }
        order["orderId"] = json!(uuid());
        order["orderNumber"] = json!(format!("SO{:06}", self.orders.len() + 1));
        order["status"] = json!("PR");
        self.orders.push(order.clone());
        Ok((StatusCode::CREATED, order))
    }
}

/// Applies the operators of a query one after the other.
fn select(all: &[Value], query: &str) -> Result<Value, Trouble> {
    let mut found: Vec<&Value> = all.iter().collect();
    for term in terms(query) {
        let unknown = || Trouble::Query(term.to_owned());
        let (operator, arguments) = match term.split_once('(') {
            Some((operator, rest)) => (operator, rest.strip_suffix(')').ok_or_else(unknown)?),
            None => {
                let (name, value) = term.split_once('=').ok_or_else(unknown)?;
                found.retain(|one| text(one, name) == Some(value));
                continue;
            }
        };
        let pair = arguments.split_once(',');
        match (operator, pair) {
            ("implementing", None) => {
                found.retain(|one| one.pointer("/aps/type") == Some(&json!(arguments)));
            }
            ("eq", Some((name, value))) => found.retain(|one| text(one, name) == Some(value)),
            ("like", Some((name, pattern))) => {
                found.retain(|one| text(one, name).is_some_and(|text| like(pattern, text)));
            }
            ("sort", None) => {
                let (descending, name) = match arguments.strip_prefix('-') {
                    Some(name) => (true, name),
                    None => (false, arguments.strip_prefix('+').unwrap_or(arguments)),
                };
                found.sort_by_key(|one| text(one, name).map(str::to_lowercase));
                if descending {
                    found.reverse();
                }
            }
            ("limit", Some((first, count))) => {
                let first: usize = first.parse().map_err(|_| unknown())?;
                let count: usize = count.parse().map_err(|_| unknown())?;
                found = found.into_iter().skip(first).take(count).collect();
            }
            _ => return Err(unknown()),
        }
    }
    Ok(json!(found))
}

/// Splits a query at the commas and ampersands that stand outside of parentheses.
fn terms(query: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    query
        .split(move |character| {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(character, ',' | '&')
        })
        .filter(|term| !term.is_empty())
}

fn text<'a>(resource: &'a Value, name: &str) -> Option<&'a str> {
    resource
        .pointer(&format!("/{}", name.replace('.', "/")))?
        .as_str()
}

/// Matches RQL's `like`, in which `*` stands for anything and case does not matter.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A random identifier in the form of a UUID (RFC 9562 §5.4).
fn uuid() -> String {
    let [a, b, c, d] = [(); 4].map(|()| rand::random::<u32>());
    format!(
        "{a:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{d:08x}",
        b >> 16,
        b & 0xfff,
        0x8000 | (c >> 16) & 0x3fff,
        c & 0xffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_select_what_they_say() {
        let mut resources = Resources::new();
        let table = [
            ("", 4),
            (
                "implementing(http://aps-standard.org/types/core/resource/1.0)",
                3,
            ),
            ("like(name,*tenant)", 2),
            ("like(name,*a*),sort(+name),limit(0,2)", 2),
            ("name=Galaxy", 1),
            ("eq(name,Galaxy)&limit(0,10)", 1),
            ("like(name,nothing*)", 0),
        ];
        for (query, count) in table {
            let target = format!("{RESOURCES}/?{query}");
            let (_, found) = resources.perform(&Method::GET, &target, b"").unwrap();
            assert_eq!(found.as_array().unwrap().len(), count, "{query}");
        }
        for query in ["like%28name,x%29", "sort(", "frobnicate(x)", "limit(a,b)"] {
            let target = format!("{RESOURCES}?{query}");
            assert!(
                resources.perform(&Method::GET, &target, b"").is_err(),
                "{query}"
            );
        }
    }

    #[test]
    fn an_order_is_found_again() {
        let mut resources = Resources::new();
        let order = br#"{"type":"SALES","products":[]}"#;
        let (status, placed) = resources.perform(&Method::POST, ORDERS, order).unwrap();
        assert_eq!(status, StatusCode::CREATED);
        let target = format!("{ORDERS}?orderNumber=SO000001");
        let (_, found) = resources.perform(&Method::GET, &target, b"").unwrap();
        assert_eq!(found, json!([placed]));
        let missing = resources.perform(&Method::POST, ORDERS, b"[]");
        assert!(matches!(missing, Err(Trouble::Order)));
    }
}
