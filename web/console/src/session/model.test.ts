import catalogFile from '@catalog';
import { describe, expect, it } from 'vitest';
import { fetchEvents } from '../api/events';
import type { Catalog, SessionEvent, TrackMedia } from '../api/types';
import { aSession, T } from '../testing/session';
import { stillsOf } from './evidence';
import { boundsOf, buildModel, trackIds } from './model';
import { whyNoRecording } from './whyNoRecording';

const catalog = catalogFile as unknown as Catalog;

const session = aSession({
  created_at: T - 86_400_000,
  started_at: T + 60_000,
  completed_at: T + 600_000,
  outcome: 'finished',
  policy: { tracks: { screen: {}, camera: {} } },
});

function event(
  sequence: number,
  type_id: number,
  occurred_at: number,
  data: Record<string, unknown> = {},
): SessionEvent {
  const type = catalog.types.find((candidate) => candidate.id === type_id);
  return {
    sequence,
    type_id,
    name: type?.name ?? '',
    source: 'server',
    category: type?.category ?? 'other',
    severity: type?.severity.medium ?? 'info',
    occurred_at,
    received_at: occurred_at,
    data,
    evidence: [],
    link: '',
  };
}

const media: TrackMedia[] = [
  {
    track: 'camera',
    playlist: '',
    complete: true,
    duration_s: 500,
    spans: [
      { from: T + 10_000, until: T + 200_000, position_s: 0, part: 0 },
      { from: T + 300_000, until: T + 610_000, position_s: 190, part: 1 },
    ],
    gaps: [],
  },
];

describe('session model', () => {
  it('reaches from the first to the last thing known, not from the day it was created', () => {
    expect(boundsOf(session, [event(1, 3, T - 500)], media)).toEqual({ from: T - 500, until: T + 610_000 });
  });

  it('lists the camera first, and tracks of the policy that were never recorded', () => {
    expect(trackIds(session)).toEqual(['camera', 'screen']);
  });

  it('orders late arrivals by the time they happened and makes a lane for each category', () => {
    const log = [event(1, 3, T), event(2, 16, T + 9_000), event(3, 5, T + 4_000)];
    const model = buildModel(session, catalog, log, media, []);
    expect(model.events.map((e) => e.sequence)).toEqual([1, 3, 2]);
    expect(model.lanes.map((lane) => lane.id)).toEqual(['person', 'focus', 'session']);
    expect(model.zero).toBe(T + 60_000);
  });

  it('finds the stills of an event wherever it names them, each once', () => {
    const capture = { id: 'a', kind: 'finding', captured_at: T, width: 1, height: 1, digest: '', url: '' };
    const captures = new Map([['a', capture]]);
    const e = { ...event(1, 169, T, { still: 'a' }), evidence: [{ kind: 'capture' as const, id: 'a' }] };
    expect(stillsOf(e, captures)).toEqual([capture]);
  });

  it('says why a track has no recording', () => {
    const log = [event(1, 1004, T + 201_000), event(2, 1064, T + 299_000)];
    const model = buildModel(session, catalog, log, media, []);
    const [camera, screen] = model.tracks;
    const why = (track = camera, at = 0) => track && whyNoRecording(track, at, model.states, session, false);
    expect(why(camera, T)).toBe('The recording had not started yet.');
    expect(why(camera, T + 250_000)).toBe('The camera was disconnected.');
    expect(why(camera, T + 700_000)).toBe('The recording had ended.');
    expect(why(screen, T + 250_000)).toBe('Nothing was recorded.');
  });
});

describe('reading the log', () => {
  it('asks for all pages, then only for what is new, and gives the same array when nothing is', async () => {
    const asked: string[] = [];
    const pages = [
      { items: [event(0, 3, T), event(1, 9, T)], next: 1 },
      { items: [event(2, 5, T)], next: null },
    ];
    const read = async (path: string) => {
      asked.push(path);
      return pages.shift() ?? { items: [], next: null };
    };
    const first = await fetchEvents('s', [], read);
    expect(first.map((e) => e.sequence)).toEqual([0, 1, 2]);
    expect(asked).toEqual(['/sessions/s/events?limit=5000', '/sessions/s/events?after=1&limit=5000']);
    expect(await fetchEvents('s', first, read)).toBe(first);
    expect(asked.at(-1)).toBe('/sessions/s/events?after=2&limit=5000');
  });
});
