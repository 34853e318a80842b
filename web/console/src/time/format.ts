/** Times for people. Wall times are ms since 1970 UTC and shown in the viewer's own time zone. */

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');

/** `1:02:03`, `2:03`, with a minus before the start and tenths where asked. */
export function clockLength(ms: number, options: { tenths?: boolean; hours?: boolean } = {}): string {
  const tenths = options.tenths ? Math.floor(Math.abs(ms) / 100) : Math.floor(Math.abs(ms) / 1000) * 10;
  const sign = ms < 0 && tenths > 0 ? '−' : '';
  const seconds = Math.floor(tenths / 10);
  const h = Math.floor(seconds / 3600);
  const m = Math.floor(seconds / 60) % 60;
  const s = seconds % 60;
  const fraction = options.tenths ? `.${tenths % 10}` : '';
  return h > 0 || options.hours
    ? `${sign}${h}:${pad(m)}:${pad(s)}${fraction}`
    : `${sign}${m}:${pad(s)}${fraction}`;
}

/** A length in words: `850 ms`, `4.2 s`, `3 min 05 s`, `2 h 10 min`; what goes back has a minus. */
export function wordLength(ms: number): string {
  if (ms < 0) return `−${wordLength(-ms)}`;
  // Each bound is where the rounded number would read as one of the next unit.
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor(seconds / 60) % 60)} min`;
}

/** Dates as the viewer's language writes them; the time of day in 24 h, as everywhere on these pages. */
const dateTime = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'short',
  hourCycle: 'h23',
});
const fullDateTime = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'full',
  timeStyle: 'long',
  hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** `14:03:09`, always 24 h, so that columns line up. */
export function wallTime(at: number, millis = false): string {
  const d = new Date(at);
  const text = `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
  return millis ? `${text}.${pad(d.getMilliseconds(), 3)}` : text;
}

export const wallDateTime = (at: number): string => dateTime.format(at);
export const wallDateTimeFull = (at: number): string => fullDateTime.format(at);
/** The date once, or twice where the two are not of the same day. */
export const wallDateTimes = (from: number, until: number): string => dateTime.formatRange(from, until);

/** `14:03` for today, else the date with the time. */
export function shortMoment(at: number, now = Date.now()): string {
  const d = new Date(at);
  const time = `${pad(d.getHours())}:${pad(d.getMinutes())}`;
  return new Date(now).toDateString() === d.toDateString() ? `Today, ${time}` : `${day.format(at)}, ${time}`;
}

export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
