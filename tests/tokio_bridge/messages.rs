/// What a socket receives. Dropping a future of the returned receiver, as a timeout or `select!` does, loses nothing.
fn messages(socket: Socket) -> tokio::sync::mpsc::Receiver<Message> {
    let (sender, receiver) = tokio::sync::mpsc::channel(100);
    std::thread::spawn(move || {
        while let Ok(message) = socket.recv() {
            if sender.blocking_send(message).is_err() {
                break;
            }
        }
    });
    receiver
}
