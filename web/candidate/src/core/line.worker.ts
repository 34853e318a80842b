/** The worker around the socket. Its own clock may have started elsewhere, so the page tells how far they differ. */
import { LineSocket, type SocketSettings } from './socket';

export type ToWorker =
  | { t: 'start'; settings: SocketSettings }
  | { t: 'send'; frame: object }
  | { t: 'kick' }
  | { t: 'stop' }
  | { t: 'sync'; pageAt: number }
  | { t: 'skew'; ms: number }
  | { t: 'offset'; ms: number };

const scope = self as unknown as {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

let skew = 0;
let offset = 0;
let socket: LineSocket | null = null;
const workerTime = () => performance.timeOrigin + performance.now();

scope.onmessage = ({ data }) => {
  switch (data.t) {
    case 'start':
      socket?.stop();
      socket = new LineSocket(
        data.settings,
        (news) => scope.postMessage(news),
        () => workerTime() + skew,
        () => offset,
      );
      socket.start();
      break;
    case 'send':
      if (!socket?.send(data.frame)) scope.postMessage({ t: 'unsent', frame: data.frame });
      break;
    case 'kick':
      socket?.kick();
      break;
    case 'stop':
      socket?.stop();
      socket = null;
      break;
    case 'sync':
      scope.postMessage({ t: 'sync', pageAt: data.pageAt, workerAt: workerTime() });
      break;
    case 'skew':
      skew = data.ms;
      break;
    case 'offset':
      offset = data.ms;
      break;
  }
};

// A pulse for the page: timers of a hidden tab are slowed down, messages of its worker are not.
setInterval(() => scope.postMessage({ t: 'tick' }), 1_000);
