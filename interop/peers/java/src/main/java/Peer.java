import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32;

import org.zeromq.SocketType;
import org.zeromq.ZMQ;
import org.zeromq.ZMQException;

/** A peer of the interop harness with JeroMQ: see PROTOCOL.md, six folders up. */
public final class Peer {
    private static final int PERIOD = 251;
    /** In milliseconds: how long a connection may be silent before JeroMQ dials anew. The reason is where it is set. */
    private static final int HANDSHAKE_LIMIT = 1000;

    private final ZMQ.Context context = ZMQ.context(1);
    private final Map<String, ZMQ.Socket> sockets = new HashMap<>();
    /** The credentials that a mechanism demands, for the ZAP handler; null until there is one. */
    private Map<String, List<byte[]>> rules;

    public static void main(String[] arguments) throws IOException {
        Peer peer = new Peer();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream output = new PrintStream(System.out, false, "US-ASCII");
        String line;
        while ((line = input.readLine()) != null) {
            output.print(peer.answer(line).replace('\n', ' ') + "\n");
            output.flush();
            if (line.equals("quit")) {
                break;
            }
        }
        // Sockets do not linger unless told to, and the system ends what is left.
        Runtime.getRuntime().halt(0);
    }

    /** An answer that is not ok. */
    private static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;

        final String code;

        Refusal(String code, String text) {
            super(code + " " + text);
            this.code = code;
        }
    }

    private String answer(String line) {
        String[] words = line.split(" ", -1);
        try {
            List<String> answer = obey(words[0], Arrays.copyOfRange(words, 1, words.length));
            return answer.isEmpty() ? "ok" : "ok " + String.join(" ", answer);
        } catch (Refusal refusal) {
            return "err " + refusal.getMessage();
        } catch (ZMQException exception) {
            return "err " + code(exception.getErrorCode()) + " " + exception.getMessage();
        } catch (IndexOutOfBoundsException | IllegalArgumentException exception) {
            return "err usage " + exception;
        } catch (RuntimeException exception) {
            return "err other " + exception;
        }
    }

    private List<String> obey(String command, String[] words) {
        List<String> answer = new ArrayList<>();
        switch (command) {
        case "hello":
            if (!words[0].equals("1")) {
                throw new Refusal("usage", "protocol 1 only");
            }
            // Its ipc is tcp under another name, which nobody else speaks.
            return Arrays.asList("1", "jeromq-" + version(), "tcp");
        case "socket":
            ZMQ.Socket made = context.socket(SocketType.valueOf(words[1]));
            made.setLinger(0);
            // JeroMQ sometimes loses a connection that it has just made: its poller cancels the connecter's
            // registration after the engine's for the same channel (Poller.run walks a HashSet), and nothing wakes
            // that engine again but its handshake timer, whose default is 30 s.
            made.setHandshakeIvl(HANDSHAKE_LIMIT);
            sockets.put(words[0], made);
            return answer;
        case "quit":
            return answer;
        case "zap":
            if (rules == null) {
                rules = new ConcurrentHashMap<>();
                ZMQ.Socket handler = context.socket(SocketType.REP);
                done(handler, handler.bind("inproc://zeromq.zap.01"));
                Thread thread = new Thread(() -> decide(handler, rules));
                thread.setDaemon(true);
                thread.start();
            }
            rules.put(words[0], frames(words, 1));
            return answer;
        default:
            ZMQ.Socket socket = sockets.get(words[0]);
            if (socket == null) {
                throw new Refusal("usage", "no socket " + words[0]);
            }
            if (command.equals("close")) {
                sockets.remove(words[0]).close();
                return answer;
            }
            talk(socket, command, Arrays.copyOfRange(words, 1, words.length), answer);
            return answer;
        }
    }

    /** A ZAP handler (RFC 27): who comes with a mechanism that has a rule must show its credentials. */
    private static void decide(ZMQ.Socket handler, Map<String, List<byte[]>> rules) {
        byte[] nothing = new byte[0];
        while (true) {
            List<byte[]> request = recv(handler);
            List<byte[]> due = rules.get(new String(request.get(5), StandardCharsets.US_ASCII));
            List<byte[]> shown = request.subList(6, request.size());
            boolean isIn = due == null || due.size() == shown.size();
            for (int n = 0; isIn && due != null && n < due.size(); n++) {
                isIn = Arrays.equals(due.get(n), shown.get(n));
            }
            byte[] status = (isIn ? "200" : "400").getBytes(StandardCharsets.US_ASCII);
            send(handler, Arrays.asList(request.get(0), request.get(1), status, nothing, nothing, nothing));
        }
    }

    /** JeroMQ's own version, which ZMQ.getVersionString does not tell: that is the libzmq it follows. */
    private static String version() {
        Properties properties = new Properties();
        try (InputStream file = ZMQ.class.getResourceAsStream("/META-INF/maven/org.zeromq/jeromq/pom.properties")) {
            if (file != null) {
                properties.load(file);
            }
        } catch (IOException exception) {
            // It is for reports only.
        }
        return properties.getProperty("version", "unknown");
    }

    private static void talk(ZMQ.Socket socket, String command, String[] words, List<String> answer) {
        switch (command) {
        case "set":
            set(socket, words[0], words[1]);
            break;
        case "bind":
            done(socket, socket.bind(words[0]));
            answer.add(socket.getLastEndpoint());
            break;
        case "connect":
            done(socket, socket.connect(words[0]));
            break;
        case "unbind":
            done(socket, socket.unbind(words[0]));
            break;
        case "disconnect":
            done(socket, socket.disconnect(words[0]));
            break;
        case "subscribe":
            done(socket, socket.subscribe(frame(words[0])));
            break;
        case "unsubscribe":
            done(socket, socket.unsubscribe(frame(words[0])));
            break;
        case "send":
            socket.setSendTimeOut(Integer.parseInt(words[0]));
            send(socket, frames(words, 1));
            break;
        case "recv":
            socket.setReceiveTimeOut(Integer.parseInt(words[0]));
            for (byte[] frame : recv(socket)) {
                answer.add(told(frame));
            }
            break;
        case "drain":
            socket.setReceiveTimeOut(Integer.parseInt(words[0]));
            drain(socket, frames(words, 1), answer);
            break;
        default:
            talkAtLength(socket, command, words, answer);
        }
    }

    private static void talkAtLength(ZMQ.Socket socket, String command, String[] words, List<String> answer) {
        if (words.length < 2) {
            throw new Refusal("usage", "unknown command " + command);
        }
        socket.setSendTimeOut(Integer.parseInt(words[0]));
        socket.setReceiveTimeOut(Integer.parseInt(words[0]));
        int count = Integer.parseInt(words[1]);
        switch (command) {
        case "burst":
            List<byte[]> head = frames(words, 2);
            for (int n = 0; n < count; n++) {
                send(socket, numbered(head, n));
            }
            break;
        case "expect":
            List<byte[]> due = frames(words, 2);
            for (int n = 0; n < count; n++) {
                check(n, recv(socket), due);
            }
            break;
        case "take":
            answer.addAll(take(socket, count, frames(words, 2)));
            break;
        case "fill":
            answer.add(Integer.toString(sendUntilFull(socket, count, frames(words, 2))));
            break;
        case "request":
            int window = Integer.parseInt(words[2]);
            List<byte[]> both = frames(words, 3);
            for (int n = 0, sent = 0; n < count; n++) {
                for (; sent < Math.min(count, n + window); sent++) {
                    send(socket, numbered(both, sent));
                }
                check(n, recv(socket), both);
            }
            break;
        case "echo":
            for (int n = 0; n < count; n++) {
                send(socket, recv(socket));
            }
            break;
        default:
            throw new Refusal("usage", "unknown command " + command);
        }
    }

    /** The first and the last of `count` numbers. */
    private static List<String> take(ZMQ.Socket socket, int count, List<byte[]> head) {
        String first = "-";
        int last = -1;
        for (int n = 0; n < count; n++) {
            last = next(socket, head, last);
            first = n == 0 ? Integer.toString(last) : first;
        }
        return Arrays.asList(first, count == 0 ? "-" : Integer.toString(last));
    }

    /** How many numbers there were until none came in time, the first and the last. */
    private static void drain(ZMQ.Socket socket, List<byte[]> head, List<String> answer) {
        int taken = 0;
        int first = -1;
        int last = -1;
        try {
            for (;; taken++) {
                last = next(socket, head, last);
                first = taken == 0 ? last : first;
            }
        } catch (Refusal refusal) {
            if (!refusal.code.equals("again")) {
                throw refusal;
            }
        }
        answer.add(Integer.toString(taken));
        answer.add(taken == 0 ? "-" : Integer.toString(first));
        answer.add(taken == 0 ? "-" : Integer.toString(last));
    }

    /** How many were sent until one was not taken in time. */
    private static int sendUntilFull(ZMQ.Socket socket, int count, List<byte[]> head) {
        for (int n = 0; n < count; n++) {
            try {
                send(socket, numbered(head, n));
            } catch (Refusal refusal) {
                if (!refusal.code.equals("again")) {
                    throw refusal;
                }
                return n;
            }
        }
        return count;
    }

    /** The number of the next message, which must be greater than `last`. */
    private static int next(ZMQ.Socket socket, List<byte[]> head, int last) {
        List<byte[]> message = recv(socket);
        byte[] numbered = message.get(message.size() - 1);
        int n = numbered.length < 4 ? 0 : ByteBuffer.wrap(numbered).getInt();
        check(n, message, head);
        if (n <= last) {
            throw new Refusal("order", "message " + n + " came after " + last);
        }
        return n;
    }

    private static void set(ZMQ.Socket socket, String option, String value) {
        switch (option) {
        case "ROUTING_ID":
            done(socket, socket.setIdentity(frame(value)));
            return;
        case "CONNECT_ROUTING_ID":
            done(socket, socket.setConnectRid(frame(value)));
            return;
        case "PLAIN_USERNAME":
            done(socket, socket.setPlainUsername(frame(value)));
            return;
        case "PLAIN_PASSWORD":
            done(socket, socket.setPlainPassword(frame(value)));
            return;
        case "CURVE_PUBLICKEY":
            done(socket, socket.setCurvePublicKey(frame(value)));
            return;
        case "CURVE_SECRETKEY":
            done(socket, socket.setCurveSecretKey(frame(value)));
            return;
        case "CURVE_SERVERKEY":
            done(socket, socket.setCurveServerKey(frame(value)));
            return;
        case "ZAP_DOMAIN":
            done(socket, socket.setZAPDomain(frame(value)));
            return;
        default:
            done(socket, setNumber(socket, option, Integer.parseInt(value)));
        }
    }

    private static boolean setNumber(ZMQ.Socket socket, String option, int value) {
        switch (option) {
        case "SNDHWM": return socket.setSndHWM(value);
        case "RCVHWM": return socket.setRcvHWM(value);
        case "LINGER": return socket.setLinger(value);
        case "IMMEDIATE": return socket.setImmediate(value != 0);
        case "CONFLATE": return socket.setConflate(value != 0);
        case "RECONNECT_IVL": return socket.setReconnectIVL(value);
        case "RECONNECT_IVL_MAX": return socket.setReconnectIVLMax(value);
        case "HANDSHAKE_IVL": return socket.setHandshakeIvl(value);
        case "HEARTBEAT_IVL": return socket.setHeartbeatIvl(value);
        case "HEARTBEAT_TIMEOUT": return socket.setHeartbeatTimeout(value);
        case "HEARTBEAT_TTL": return socket.setHeartbeatTtl(value);
        case "MAXMSGSIZE": return socket.setMaxMsgSize(value);
        case "BACKLOG": return socket.setBacklog(value);
        case "RCVBUF": return socket.setReceiveBufferSize(value);
        case "TCP_KEEPALIVE": return socket.setTCPKeepAlive(value);
        case "PLAIN_SERVER": return socket.setPlainServer(value != 0);
        case "CURVE_SERVER": return socket.setCurveServer(value != 0);
        case "ROUTER_MANDATORY": return socket.setRouterMandatory(value != 0);
        case "ROUTER_HANDOVER": return socket.setRouterHandover(value != 0);
        case "PROBE_ROUTER": return socket.setProbeRouter(value != 0);
        case "REQ_CORRELATE": return socket.setReqCorrelate(value != 0);
        case "REQ_RELAXED": return socket.setReqRelaxed(value != 0);
        case "XPUB_VERBOSE": return socket.setXpubVerbose(value != 0);
        case "XPUB_VERBOSER": return socket.setXpubVerboser(value != 0);
        case "XPUB_NODROP": return socket.setXpubNoDrop(value != 0);
        default: throw new Refusal("usage", "unknown option " + option);
        }
    }

    private static void send(ZMQ.Socket socket, List<byte[]> frames) {
        for (int n = 0; n < frames.size(); n++) {
            done(socket, socket.send(frames.get(n), n + 1 < frames.size() ? ZMQ.SNDMORE : 0));
        }
    }

    private static List<byte[]> recv(ZMQ.Socket socket) {
        List<byte[]> frames = new ArrayList<>();
        do {
            byte[] frame = socket.recv(0);
            done(socket, frame != null);
            frames.add(frame);
        } while (socket.hasReceiveMore());
        return frames;
    }

    private static void done(ZMQ.Socket socket, boolean well) {
        if (!well) {
            throw new Refusal(code(socket.errno()), "errno " + socket.errno());
        }
    }

    private static String code(int errno) {
        if (errno == ZMQ.Error.EAGAIN.getCode()) {
            return "again";
        } else if (errno == ZMQ.Error.EHOSTUNREACH.getCode()) {
            return "unroutable";
        } else if (errno == ZMQ.Error.EFSM.getCode()) {
            return "state";
        }
        return "other";
    }

    /** Frames of the words from `first` on; null for any. */
    private static List<byte[]> frames(String[] words, int first) {
        List<byte[]> frames = new ArrayList<>();
        for (int n = first; n < words.length; n++) {
            frames.add(words[n].equals("*") ? null : frame(words[n]));
        }
        return frames;
    }

    private static byte[] frame(String word) {
        if (word.equals("-")) {
            return new byte[0];
        }
        String rest = word.substring(2);
        switch (word.substring(0, 2)) {
        case "t:":
            return rest.getBytes(StandardCharsets.US_ASCII);
        case "h:":
            byte[] bytes = new byte[rest.length() / 2];
            for (int n = 0; n < bytes.length; n++) {
                bytes[n] = (byte) Integer.parseInt(rest.substring(2 * n, 2 * n + 2), 16);
            }
            return bytes;
        case "f:":
            String[] numbers = rest.split(":");
            return fill(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
        default:
            throw new Refusal("usage", "no frame: " + word);
        }
    }

    private static byte[] fill(int size, int seed) {
        byte[] bytes = new byte[size];
        for (int n = 0; n < size; n++) {
            bytes[n] = (byte) ((seed + n) % PERIOD);
        }
        return bytes;
    }

    private static String told(byte[] frame) {
        if (frame.length == 0) {
            return "-";
        }
        if (frame.length > 64) {
            CRC32 crc = new CRC32();
            crc.update(frame);
            return String.format("d:%d:%08x", frame.length, crc.getValue());
        }
        StringBuilder text = new StringBuilder("h:");
        for (byte b : frame) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }

    private static List<byte[]> numbered(List<byte[]> head, int n) {
        List<byte[]> frames = new ArrayList<>(head);
        byte[] body = fill(n % 301, n);
        frames.add(ByteBuffer.allocate(4 + body.length).putInt(n).put(body).array());
        return frames;
    }

    private static void check(int n, List<byte[]> message, List<byte[]> head) {
        List<byte[]> due = numbered(head, n);
        boolean same = message.size() == due.size();
        for (int i = 0; same && i < due.size(); i++) {
            same = due.get(i) == null || Arrays.equals(due.get(i), message.get(i));
        }
        if (!same) {
            StringBuilder seen = new StringBuilder("message " + n + " is");
            message.forEach(frame -> seen.append(' ').append(told(frame)));
            throw new Refusal("order", seen.toString());
        }
    }
}
