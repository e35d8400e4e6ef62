//! What a fuzzer's bytes mean: which proxy, how its upstream answers, and what a client sends in which pieces.

/// What happens on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// Which of the proxies.
    pub proxy: Kind,
    /// How the upstream answers.
    pub answer: Answer,
    /// Where the bytes are cut in two, in 256ths of their length.
    pub cuts: [u8; 2],
    /// What the client sends.
    pub bytes: &'a [u8],
}

/// Proxies that differ in what they do to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As undersign is by default.
    Plain,
    /// `inbound_authorization = "keep"`, and [`Kind::PASSTHROUGH`] in `passthrough_headers`.
    Keep,
    /// `body_hash`, `inbound_authorization = "reject"`, and limits that are soon reached.
    Hash,
}

/// What an upstream does with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Content with a length.
    #[default]
    Length,
    /// Chunks and a trailer section.
    Chunked,
    /// 204.
    NoContent,
    /// Content that ends with the connection.
    UntilClose,
    /// `Connection: close`.
    Close,
    /// As soon as the head is there.
    Early,
    /// Interim responses first.
    Interim,
    /// Fields for this connection only.
    HopByHop,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Keep, Self::Hash];

    /// Which field has [`Kind::Keep`] forward a request unsigned.
    pub const PASSTHROUGH: &str = "x-unsigned";
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Length,
        Self::Chunked,
        Self::NoContent,
        Self::UntilClose,
        Self::Close,
        Self::Early,
        Self::Interim,
        Self::HopByHop,
    ];

    /// The bytes of the answer with this number.
    pub fn write(self, number: usize, method: &str) -> Vec<u8> {
        let content = Self::content(number);
        let length = format!("Content-Length: {}\r\n", content.len());
        let fields = match self {
            Self::Length | Self::Early | Self::Interim => length,
            Self::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
            Self::NoContent | Self::UntilClose => String::new(),
            Self::Close => format!("Connection: close\r\n{length}"),
            Self::HopByHop => {
                format!("Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n{length}")
            }
        };
        let interim = if self == Self::Interim {
            format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\n\
                 Hint: {number}\r\nX-Hop: 1\r\nContent-Length: 9\r\n\r\n"
            )
        } else {
            String::new()
        };
        let status = if self == Self::NoContent {
            "204 No Content"
        } else {
            "200 OK"
        };
        let content = match self {
            _ if method == "HEAD" => String::new(),
            Self::NoContent => String::new(),
            Self::Chunked => {
                format!(
                    "{:x}\r\n{content}\r\n0\r\nSum: {number}\r\n\r\n",
                    content.len()
                )
            }
            _ => content,
        };
        format!("{interim}HTTP/1.1 {status}\r\nAnswer: {number}\r\n{fields}\r\n{content}")
            .into_bytes()
    }

    /// The content of the answer with this number.
    pub fn content(number: usize) -> String {
        format!("answer {number}\n")
    }
}

impl<'a> Input<'a> {
    /// Reads an input: a byte for the proxy and the answer, two for the cuts, and what is sent.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (&[choice, cuts @ ..], bytes) = bytes.split_first_chunk::<3>()?;
        let choice = usize::from(choice);
        Some(Self {
            proxy: Kind::ALL[choice / Answer::ALL.len() % Kind::ALL.len()],
            answer: Answer::ALL[choice % Answer::ALL.len()],
            cuts,
            bytes,
        })
    }

    /// The bytes that [`Input::decode`] reads as this input.
    pub fn encode(&self) -> Vec<u8> {
        let choice = self.proxy as usize * Answer::ALL.len() + self.answer as usize;
        let choice = u8::try_from(choice).unwrap_or_default();
        [&[choice, self.cuts[0], self.cuts[1]], self.bytes].concat()
    }

    /// What is sent, in one to three pieces.
    pub fn pieces(&self) -> Vec<&'a [u8]> {
        let mut cuts = self
            .cuts
            .map(|cut| self.bytes.len() * usize::from(cut) / 256);
        cuts.sort_unstable();
        let [first, second] = cuts;
        let pieces = [
            &self.bytes[..first],
            &self.bytes[first..second],
            &self.bytes[second..],
        ];
        pieces
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect()
    }
}
