//! What the kernel does with requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use zeroxide::{Error, Message, PollWaker, Poller, Ready, Result, RoutingId, SendError, Socket};

use crate::calculator::{Calculator, Console, Fault};
use crate::sockets::Sockets;
use crate::wire::{Request, Session};

pub(crate) struct Kernel {
    sockets: Sockets,
    session: Session,
    /// The front end wants the program to end.
    interrupted: AtomicBool,
}

/// The main thread's part: it executes.
struct Executor<'a> {
    kernel: &'a Kernel,
    calculator: Calculator,
    /// How many programs were executed.
    count: u64,
    /// Waits for input, and for an interrupt meanwhile.
    input: Poller,
}

impl Kernel {
    pub(crate) fn new(sockets: Sockets, session: Session) -> Kernel {
        Kernel { sockets, session, interrupted: AtomicBool::new(false) }
    }

    /// Serves front ends until one of them wants the kernel to shut down.
    pub(crate) fn run(&self) -> Result<()> {
        let mut input = Poller::new();
        input.add(&self.sockets.stdin, 0, Ready::IN)?;
        let waker = input.waker();
        let mut executor = Executor { kernel: self, calculator: Calculator::default(), count: 0, input };
        self.publish("status", &json!({}), &json!({ "execution_state": "starting" }))?;
        thread::scope(|scope| {
            scope.spawn(|| self.echo_heartbeats());
            scope.spawn(|| self.control(&waker));
            let served = self.serve(&self.sockets.shell, |request| executor.serve(request));
            // If this thread has failed, the others must not go on without it.
            self.shut_down(&waker);
            served
        })
    }

    fn echo_heartbeats(&self) {
        let heartbeat = &self.sockets.heartbeat;
        while heartbeat.recv().and_then(|beat| Ok(heartbeat.send(beat)?)).is_ok() {}
    }

    fn control(&self, waker: &PollWaker) {
        let served = self.serve(&self.sockets.control, |request| {
            match request.kind.as_str() {
                "interrupt_request" => self.interrupt(waker),
                "shutdown_request" => {
                    let content = json!({ "status": "ok", "restart": request.content["restart"] });
                    self.reply(&self.sockets.control, request, "shutdown_reply", &content)?;
                    self.publish("shutdown_reply", &request.header, &content)?;
                    self.shut_down(waker);
                    return Ok(());
                }
                _ => return self.serve_anywhere(&self.sockets.control, request),
            }
            self.reply(&self.sockets.control, request, "interrupt_reply", &json!({ "status": "ok" }))
        });
        // Without this thread the kernel could be neither interrupted nor ended.
        if let Err(error) = served {
            eprintln!("control: {error}");
            self.shut_down(waker);
        }
    }

    fn interrupt(&self, waker: &PollWaker) {
        self.interrupted.store(true, Ordering::Release);
        waker.wake();
    }

    /// Ends what the other threads do. Every blocked call on a socket that is closed returns.
    fn shut_down(&self, waker: &PollWaker) {
        let Sockets { shell, control, stdin, heartbeat, .. } = &self.sockets;
        [shell, control, stdin, heartbeat].into_iter().for_each(|socket| drop(socket.close()));
        self.interrupt(waker);
    }

    /// Receives requests until the socket is closed. Each is framed by `busy` and `idle`, which tell front ends that
    /// everything that the request has led to is published.
    fn serve(&self, socket: &Socket, mut serve: impl FnMut(&Request) -> Result<()>) -> Result<()> {
        loop {
            let (front_end, message) = match socket.recv_from() {
                Ok(received) => received,
                Err(Error::Closed) => return Ok(()),
                Err(error) => return Err(error),
            };
            let request = match self.session.read(front_end, &message) {
                Ok(request) => request,
                Err(bad) => {
                    eprintln!("ignored: {bad}");
                    continue;
                }
            };
            self.publish("status", &request.header, &json!({ "execution_state": "busy" }))?;
            serve(&request)?;
            self.publish("status", &request.header, &json!({ "execution_state": "idle" }))?;
        }
    }

    /// Serves what front ends ask on shell and on control.
    fn serve_anywhere(&self, socket: &Socket, request: &Request) -> Result<()> {
        match request.kind.as_str() {
            "kernel_info_request" => self.reply(socket, request, "kernel_info_reply", &about()),
            kind => {
                eprintln!("ignored: a request of the unknown type {kind}");
                Ok(())
            }
        }
    }

    fn reply(&self, socket: &Socket, request: &Request, kind: &str, content: &Value) -> Result<()> {
        let message = self.session.message(kind, &request.header, content);
        send(socket, &request.front_end, message).or_else(|error| match error {
            // The front end has gone, or the kernel ends.
            Error::Unroutable { .. } | Error::Closed => Ok(()),
            error => Err(error),
        })
    }

    /// Publishes a message for all front ends. Its first frame is a topic; those of Jupyter subscribe to everything.
    fn publish(&self, kind: &str, parent: &Value, content: &Value) -> Result<()> {
        let mut message = self.session.message(kind, parent, content);
        message.push_front(kind);
        Ok(self.sockets.iopub.send(message)?)
    }
}

fn send(socket: &Socket, to: &RoutingId, message: Message) -> Result<()> {
    socket.send_to(to, message).map_err(|SendError { error, .. }| error)
}

fn about() -> Value {
    json!({
        "status": "ok",
        "protocol_version": "5.3",
        "implementation": "zeroxide-calculator",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "calculator", "version": "1", "mimetype": "text/plain", "file_extension": ".txt",
        },
        "banner": "A calculator, on Zeroxide",
        "help_links": [],
    })
}

impl Executor<'_> {
    fn serve(&mut self, request: &Request) -> Result<()> {
        if request.kind == "execute_request" {
            self.execute(request)
        } else {
            self.kernel.serve_anywhere(&self.kernel.sockets.shell, request)
        }
    }

    fn execute(&mut self, request: &Request) -> Result<()> {
        let kernel = self.kernel;
        let code = request.content["code"].as_str().unwrap_or_default();
        let silent = request.content["silent"] == true;
        kernel.interrupted.store(false, Ordering::Release);
        if !silent {
            self.count += 1;
            let content = json!({ "code": code, "execution_count": self.count });
            kernel.publish("execute_input", &request.header, &content)?;
        }
        let mut front_end = FrontEnd { kernel, request, input: &mut self.input };
        let content = match self.calculator.run(code, &mut front_end) {
            Ok(value) => {
                if let (Some(value), false) = (value, silent) {
                    let data = json!({ "text/plain": value.to_string() });
                    let content = json!({ "data": data, "metadata": {}, "execution_count": self.count });
                    kernel.publish("execute_result", &request.header, &content)?;
                }
                json!({ "status": "ok", "execution_count": self.count, "user_expressions": {} })
            }
            Err(fault) => {
                let (name, text) = (fault.name(), fault.to_string());
                let error =
                    json!({ "ename": name, "evalue": text, "traceback": [format!("{name}: {text}")] });
                kernel.publish("error", &request.header, &error)?;
                let mut content = error;
                content["status"] = "error".into();
                content["execution_count"] = self.count.into();
                content
            }
        };
        kernel.reply(&kernel.sockets.shell, request, "execute_reply", &content)
    }
}

/// The front end whose program runs.
struct FrontEnd<'a> {
    kernel: &'a Kernel,
    request: &'a Request,
    input: &'a mut Poller,
}

impl Console for FrontEnd<'_> {
    fn print(&mut self, text: &str) -> Result<(), Fault> {
        let content = json!({ "name": "stdout", "text": text });
        self.kernel.publish("stream", &self.request.header, &content).map_err(|_| Fault::Closed)
    }

    fn ask(&mut self, prompt: &str) -> Result<String, Fault> {
        if self.request.content["allow_stdin"] != true {
            return Err(Fault::NoInput("the front end does not allow it".to_owned()));
        }
        let Kernel { session, sockets: Sockets { stdin, .. }, .. } = self.kernel;
        let content = json!({ "prompt": prompt, "password": false });
        let question = session.message("input_request", &self.request.header, &content);
        // The answer to an earlier question, which was interrupted, is none to this one.
        while stdin.try_recv().is_ok() {}
        send(stdin, &self.request.front_end, question).map_err(|error| Fault::NoInput(error.to_string()))?;
        let mut events = Vec::new();
        loop {
            self.input.wait(&mut events, None).map_err(|_| Fault::Closed)?;
            if self.is_interrupted() {
                return Err(Fault::Interrupted);
            }
            let (from, message) = match stdin.try_recv_from() {
                Ok(received) => received,
                Err(Error::WouldBlock(_)) => continue,
                Err(_) => return Err(Fault::Closed),
            };
            match session.read(from, &message) {
                Ok(reply) if reply.kind == "input_reply" => {
                    return Ok(reply.content["value"].as_str().unwrap_or_default().to_owned());
                }
                Ok(other) => eprintln!("ignored: {} on stdin", other.kind),
                Err(bad) => eprintln!("ignored: {bad}"),
            }
        }
    }

    fn is_interrupted(&self) -> bool {
        self.kernel.interrupted.load(Ordering::Acquire)
    }
}
