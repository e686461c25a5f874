//! libgit2's way to the network: a smart transport whose bytes go through [`super::http`].
//!
//! libgit2 knows every remote by the same address; which server that is, as whom, and until when, is
//! told by the [`Exchange`] that the calling thread has entered. So nothing of one remote can reach another,
//! and no URL or credential reaches libgit2's own messages.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use git2::transport::{Service as Action, SmartSubtransport, SmartSubtransportStream, Transport};
use git2::{ConfigLevel, ErrorClass, ErrorCode};

use super::http::{Body, Exchange, Service};
use crate::error::Failure;

/// The address of every remote, as libgit2 knows it.
pub(super) const ADDRESS: &str = "tidegate://remote";

thread_local! {
    static CURRENT: RefCell<Option<Arc<Exchange>>> = const { RefCell::new(None) };
}

/// Runs `work`; what libgit2 sends meanwhile on this thread goes through `exchange`.
pub(super) fn through<T>(exchange: &Arc<Exchange>, work: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CURRENT.set(None);
        }
    }
    CURRENT.set(Some(Arc::clone(exchange)));
    let _leave = Leave;
    work()
}

/// Prepares libgit2 for this process, once: our transport, and no configuration from outside.
///
/// [`super::Repository::open`] calls it. Whoever else uses libgit2 in this process must call it first.
pub fn prepare() -> Result<(), Failure> {
    static PREPARED: OnceLock<Result<(), String>> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| prepare_once().map_err(|error| error.message().to_owned()));
    prepared.clone().map_err(|text| Failure::bug(format!("cannot prepare libgit2: {text}")))
}

#[expect(
    unsafe_code,
    reason = "libgit2 keeps transports and search paths in globals without a lock; this runs once, before any \
              repository is opened and any remote is made, because every way to these goes through `prepare`"
)]
fn prepare_once() -> Result<(), git2::Error> {
    unsafe {
        // A person's or the machine's gitconfig must not change what is fetched or how it is kept.
        for level in [ConfigLevel::System, ConfigLevel::Global, ConfigLevel::XDG, ConfigLevel::ProgramData] {
            git2::opts::set_search_path(level, "")?;
        }
        git2::transport::register("tidegate", |remote| {
            let exchange =
                CURRENT.with_borrow(Clone::clone).ok_or_else(|| error("no operation is under way"))?;
            Transport::smart(remote, true, Requests { exchange })
        })
    }
}

/// One connection, as libgit2 sees it.
struct Requests {
    exchange: Arc<Exchange>,
}

impl SmartSubtransport for Requests {
    fn action(&self, _: &str, action: Action) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let stream = match action {
            Action::UploadPackLs => self.advertisement(Service::UploadPack)?,
            Action::ReceivePackLs => self.advertisement(Service::ReceivePack)?,
            Action::UploadPack => self.request(Service::UploadPack),
            Action::ReceivePack => self.request(Service::ReceivePack),
        };
        Ok(Box::new(stream))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

impl Requests {
    fn advertisement(&self, service: Service) -> Result<Stream, git2::Error> {
        match self.exchange.advertisement(service) {
            Ok(body) => Ok(Stream::Answer(Arc::clone(&self.exchange), body)),
            Err(failure) => Err(error(&self.exchange.keep(failure))),
        }
    }

    fn request(&self, service: Service) -> Stream {
        Stream::Request(Arc::clone(&self.exchange), service, Vec::new())
    }
}

/// One request and its answer: written whole, sent when it is first read.
enum Stream {
    Request(Arc<Exchange>, Service, Vec<u8>),
    Answer(Arc<Exchange>, Body),
    Failed,
}

impl Stream {
    fn failed(&mut self, exchange: &Exchange, failure: Failure) -> io::Error {
        *self = Self::Failed;
        io::Error::other(exchange.keep(failure))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Request(exchange, service, bytes) = self {
            let (exchange, service) = (Arc::clone(exchange), *service);
            match exchange.call(service, std::mem::take(bytes)) {
                Ok(body) => *self = Self::Answer(exchange, body),
                Err(failure) => return Err(self.failed(&exchange, failure)),
            }
        }
        match self {
            Self::Answer(exchange, body) => match body.read(buffer) {
                Ok(count) => Ok(count),
                Err(failure) => {
                    let exchange = Arc::clone(exchange);
                    Err(self.failed(&exchange, failure))
                }
            },
            _ => Err(io::Error::other("the request has failed")),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Request(_, _, request) => {
                request.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            _ => Err(io::Error::other("the request was sent already")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn error(text: &str) -> git2::Error {
    git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, text)
}
