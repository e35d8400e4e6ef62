//! From a request as it arrived to one that can be signed, and from there to bytes that nothing changes any more.

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    ErrorType, Refusal,
    operation::{admit_names, admit_parameters},
    turns::is_long,
};
use crate::{
    config::{AccessConfig, InboundAuthorization, ProxyConfig},
    oauth::{BODY_HASH, Nonce, RequestToSign, Signer, Stamp, body_hash, is_name_character},
    wire::{Fields, RequestHead, is_form, is_list, resembles_form, strip_hop_by_hop},
};

/// A request that lacks nothing but `Host` and `Authorization`.
#[derive(Debug)]
pub(super) struct Prepared {
    method: Bytes,
    target: Bytes,
    fields: Fields,
    to_head: bool,
    unsigned: bool,
}

/// How the content of a request takes part in its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentRole {
    /// Not at all: it is passed on as it comes.
    None,
    /// By its parameters: it is a form (RFC 5849 §3.4.1.3.1).
    Form,
    /// By its digest, as `oauth_body_hash`.
    Hashed,
    /// Not at all, but it is read, since `access.allow` is set: as a form it might ask for another operation.
    Examined,
}

/// What is signed of the content, once it has been read.
#[derive(Debug)]
pub(super) enum SignedContent {
    None,
    Form(Bytes),
    Hash(String),
}

impl SignedContent {
    /// Whether it takes long to sign; a digest never does.
    pub(super) fn is_long(&self) -> bool {
        matches!(self, Self::Form(form) if is_long(form))
    }
}

/// The head of a request, for one attempt. It can be sent, and nothing else.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) head: Bytes,
    pub(super) to_head: bool,
}

impl Prepared {
    /// Strips a request and decides whether it is to be signed.
    ///
    /// # Errors
    /// It is signed already, or its content can't be signed.
    pub(super) fn new(request: RequestHead, config: &ProxyConfig) -> Result<Self, Refusal> {
        let to_head = request.is_head();
        let RequestHead {
            method,
            target,
            mut fields,
            ..
        } = request;
        // Before Connection can have taken it out.
        let rejects = config.inbound_authorization == InboundAuthorization::Reject;
        if rejects && fields.contains("authorization") {
            return Err(Refusal::denied(
                403,
                "the request brings an Authorization field of its own (inbound_authorization = \"reject\")",
            ));
        }
        strip_hop_by_hop(&mut fields);
        let passes_through = config
            .passthrough_headers
            .iter()
            .any(|name| fields.contains(name));
        let authorizations = fields.all("authorization").count();
        let keeps = config.inbound_authorization == InboundAuthorization::Keep;
        let unsigned = passes_through || (keeps && authorizations > 0);
        if unsigned && authorizations > 1 {
            return Err(Refusal::malformed(
                "there is more than one Authorization field, and only one may be forwarded",
            ));
        }
        if !unsigned {
            fields.retain(|field| !field.is("authorization"));
        }
        Ok(Self {
            method,
            target,
            fields,
            to_head,
            unsigned,
        })
    }

    /// How the content takes part in the signature; unless not at all, it has to be read first.
    ///
    /// # Errors
    /// It is a form that can't be read.
    pub(super) fn content_role(&self, config: &ProxyConfig) -> Result<ContentRole, Refusal> {
        let media_types = || self.fields.all("content-type");
        let is_examined = config.access.allow.is_some()
            && (self.resembles_form() || self.is_post_without_media_type());
        if self.unsigned || !media_types().any(is_form) {
            return Ok(match (self.unsigned, config.signing.body_hash) {
                (false, true) => ContentRole::Hashed,
                _ if is_examined => ContentRole::Examined,
                _ => ContentRole::None,
            });
        }
        if media_types().count() > 1 || media_types().any(is_list) {
            return Err(Refusal::malformed(
                "there is more than one Content-Type, so that it is not clear whether the content is a form",
            ));
        }
        let coded = self
            .fields
            .members("content-encoding")
            .any(|coding| !coding.eq_ignore_ascii_case(b"identity"));
        if coded {
            return Err(Refusal::closing(
                415,
                ErrorType::HttpRequestError,
                "a form with a Content-Encoding can't be signed: its parameters can't be read",
            ));
        }
        Ok(ContentRole::Form)
    }

    /// Lets the content in, as far as it has been read, or says why not.
    ///
    /// # Errors
    /// As a form, it asks for another operation than the one that was let in.
    pub(super) fn admit_content(
        &self,
        access: &AccessConfig,
        content: &[u8],
    ) -> Result<(), Refusal> {
        if access.allow.is_none() {
            Ok(())
        } else if self.resembles_form() {
            admit_parameters(content)
        } else if self.is_post_without_media_type() {
            admit_names(content)
        } else {
            Ok(())
        }
    }

    /// Whether some servers may go by the media type and take the content for a form.
    fn resembles_form(&self) -> bool {
        self.fields.all("content-type").any(resembles_form)
    }

    /// Whether there is nothing to go by, so that some servers may take the content for a form. A media type that Connection
    /// has taken out is not there any more.
    fn is_post_without_media_type(&self) -> bool {
        let media_type = self.fields.first("content-type");
        self.method == "POST" && media_type.is_none_or(|given| given.trim_ascii().is_empty())
    }

    /// Takes from the content what is to be signed; none of it is needed for [`ContentRole::None`].
    ///
    /// # Errors
    /// It is a form with a parameter that would be taken for one of the protocol's own.
    pub(super) fn read_content(
        &self,
        role: ContentRole,
        content: Bytes,
        config: &ProxyConfig,
    ) -> Result<SignedContent, Refusal> {
        Ok(match role {
            ContentRole::None | ContentRole::Examined => SignedContent::None,
            ContentRole::Form => {
                self.check_parameters(Some(&content))?;
                SignedContent::Form(content)
            }
            ContentRole::Hashed => {
                let method = config.signing.method.signature_method();
                SignedContent::Hash(body_hash(method, &content))
            }
        })
    }

    /// Checks that no parameter would be taken for one of the protocol's own (RFC 5849 §3.1).
    ///
    /// # Errors
    /// The name of the first one.
    pub(super) fn check_parameters(&self, form: Option<&[u8]>) -> Result<(), Refusal> {
        if self.unsigned {
            return Ok(());
        }
        match self.to_sign(form).protocol_parameter() {
            None => Ok(()),
            Some(name) => Err(Refusal::malformed(format!(
                "the request has the parameter {:?} in its query or form: it is signed already, or its signature would be ambiguous",
                // Whatever else stands in it may be a value.
                name.chars()
                    .take_while(|c| is_name_character(*c))
                    .take(64)
                    .collect::<String>()
            ))),
        }
    }

    /// Whether the request is forwarded without a signature of ours.
    pub(super) fn is_unsigned(&self) -> bool {
        self.unsigned
    }

    /// Finishes the head for one attempt: first the fields, last the signature.
    pub(super) fn sign(
        &self,
        signer: &Signer,
        timestamp: u64,
        nonce: Nonce<'_>,
        host: &str,
        content: &SignedContent,
    ) -> Signed {
        let capacity = self.method.len() + self.target.len() + self.fields.encoded_len() + 512;
        let mut head = BytesMut::with_capacity(capacity);
        head.put_slice(&self.method);
        head.put_u8(b' ');
        head.put_slice(&self.target);
        head.put_slice(b" HTTP/1.1\r\n");
        if !self.fields.contains("host") {
            write_line(&mut head, b"Host", host.as_bytes());
        }
        for field in self.fields.iter() {
            if field.is("host") {
                write_line(&mut head, field.name, host.as_bytes());
            } else {
                head.put_slice(field.line);
                head.put_slice(b"\r\n");
            }
        }
        if !self.unsigned {
            let (form, hash) = match content {
                SignedContent::None => (None, None),
                SignedContent::Form(form) => (Some(&form[..]), None),
                SignedContent::Hash(hash) => (None, Some((BODY_HASH, &hash[..]))),
            };
            let stamp = Stamp {
                timestamp,
                nonce,
                extra: hash.as_slice(),
            };
            let value = signer.sign(&self.to_sign(form), stamp);
            write_line(&mut head, b"Authorization", &value);
        }
        head.put_slice(b"\r\n");
        Signed {
            head: head.freeze(),
            to_head: self.to_head,
        }
    }

    fn to_sign<'a>(&'a self, form: Option<&'a [u8]>) -> RequestToSign<'a> {
        RequestToSign {
            // A method is a token, which is ASCII.
            method: std::str::from_utf8(&self.method).unwrap_or_default(),
            target: &self.target,
            form,
        }
    }
}

fn write_line(head: &mut BytesMut, name: &[u8], value: &[u8]) {
    head.put_slice(name);
    head.put_slice(b": ");
    head.put_slice(value);
    head.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
