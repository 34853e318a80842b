import catalogFile from '@catalog';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useSession } from '../../api/queries';
import type { Accommodation, Catalog, Session } from '../../api/types';
import { stubBrowser } from '../../testing/browser';
import { aSession, T } from '../../testing/session';
import { DeskContext } from '../desk';
import { buildModel } from '../model';
import { Playback } from '../players/playback';
import { TimelineWindow } from '../timeline/timelineWindow';
import { AccommodationsPanel } from './AccommodationsPanel';

const catalog = catalogFile as unknown as Catalog;
const TICS: Accommodation = {
  type_ids: [16, 1042],
  what: 'off',
  reason: 'Tics <b>since 2019</b>',
  by: 'Dora',
  person: 'p',
  at: T,
};
const READER: Accommodation = {
  type_ids: [1046],
  what: 'relaxed',
  factor: 4,
  reason: 'Screen reader',
  by: 'Grace',
  person: 'q',
  at: T,
};

const session = aSession({
  state: 'running',
  connected: true,
  policy: { detectors: { looking_away: false } },
});

/** What the server holds, who asks, and what it was asked to hold. */
let held: Accommodation[];
let state: Session['state'];
let person: string | null;
let asked: number;
let puts: unknown[];
let refusal: Response | null;

beforeEach(() => {
  held = [TICS];
  state = 'running';
  person = 'p';
  asked = 0;
  puts = [];
  refusal = null;
  Element.prototype.scrollIntoView = () => undefined;
  stubBrowser();
  vi.stubGlobal('fetch', async (path: string, { method, body }: RequestInit) => {
    if (path.endsWith('/me')) {
      asked += 1;
      return Response.json({ id: person, name: 'Dora', email: '', organization: {} });
    }
    if (method === 'PUT') {
      const asked = JSON.parse(String(body)) as { accommodations: Accommodation[] };
      puts.push(asked.accommodations);
      if (refusal) return refusal;
      held = asked.accommodations.map((one) => ({ ...one, by: 'Dora', person: 'p', at: T + 1 }));
      return Response.json({ accommodations: held });
    }
    return Response.json({ ...session, state, accommodations: held });
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const playback = new Playback(T);

function Page() {
  const { data } = useSession('s');
  if (!data) return null;
  const model = buildModel(data, catalog, [], [], []);
  const nothing = () => undefined;
  const desk = {
    model,
    playback,
    window: new TimelineWindow(model.bounds),
    selected: null,
    choose: nothing,
    goTo: nothing,
    stepFinding: nothing,
    openStill: nothing,
  };
  return (
    <DeskContext value={desk}>
      <AccommodationsPanel />
    </DeskContext>
  );
}

async function panel() {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <Page />
      </QueryClientProvider>
    </MantineProvider>,
  );
  await screen.findByRole('heading', { name: 'Accommodations' });
}

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }));
const pressWhenThere = async (name: string | RegExp) =>
  fireEvent.click(await screen.findByRole('button', { name }));
const writes = (reason: string) =>
  fireEvent.change(screen.getByLabelText(/^Why/), { target: { value: reason } });
const closed = () => waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());

it('shows what was granted, how, why and by whom, as it was written', async () => {
  held = [TICS, READER];
  await panel();
  const [tics, reader] = screen.getAllByRole('listitem');
  expect(tics?.textContent).toContain(
    'No face in the picture, looking awayNot looked forTics <b>since 2019</b>',
  );
  expect(tics?.textContent).toContain('Dora');
  expect(reader?.textContent).toMatch(/^SpeechLess strictly: must last 4 times as long.*Screen readerGrace/);
});

it('grants another and leaves those that are there as they are', async () => {
  await panel();
  await pressWhenThere('Grant an accommodation');
  const dialog = await screen.findByRole('dialog', { name: 'Grant an accommodation' });
  expect((within(dialog).getByLabelText('Looking away') as HTMLInputElement).disabled).toBe(true);
  fireEvent.click(within(dialog).getByLabelText('Speech'));
  fireEvent.click(within(dialog).getByLabelText('Less strictly'));
  fireEvent.change(within(dialog).getByLabelText(/^How many times/), { target: { value: '4' } });
  writes('  Screen reader ');
  press('Grant it');
  await closed();
  expect(puts).toEqual([
    [
      { type_ids: [16, 1042], what: 'off', reason: TICS.reason },
      { type_ids: [1046], what: 'relaxed', factor: 4, reason: 'Screen reader' },
    ],
  ]);
  expect(screen.getAllByRole('listitem').length).toBe(2);
});

it('says what is missing, takes the focus there and sends nothing', async () => {
  await panel();
  await pressWhenThere('Grant an accommodation');
  await screen.findByRole('dialog');
  press('Grant it');
  await screen.findByText('Choose at least one');
  expect(document.activeElement).toBe(screen.getByLabelText('Several faces'));
  fireEvent.click(screen.getByLabelText('Several faces'));
  expect(screen.queryByText('Choose at least one')).toBeNull();
  fireEvent.click(screen.getByLabelText('Less strictly'));
  fireEvent.change(screen.getByLabelText(/^How many times/), { target: { value: '40' } });
  writes('   ');
  press('Grant it');
  await screen.findByText('A number from 1.1 to 20');
  expect(document.activeElement).toBe(screen.getByLabelText(/^How many times/));
  fireEvent.click(screen.getByLabelText('Not at all'));
  press('Grant it');
  expect(document.activeElement).toBe(screen.getByLabelText(/^Why/));
  expect(puts).toEqual([]);
});

it('saves nothing over what somebody else has granted meanwhile, and keeps both when told to go on', async () => {
  await panel();
  await pressWhenThere(/^Change: No face/);
  await screen.findByRole('dialog', { name: 'Change an accommodation' });
  held = [TICS, READER];
  writes('Tics, seen by a doctor');
  press('Save the change');
  const note = await screen.findByRole('alert');
  expect(note.textContent).toContain('Somebody else has changed the accommodations meanwhile');
  expect(note.textContent).toContain('Speech');
  expect(puts).toEqual([]);
  press('Save the change');
  await closed();
  expect(puts).toEqual([
    [
      { type_ids: [1046], what: 'relaxed', factor: 4, reason: 'Screen reader' },
      { type_ids: [16, 1042], what: 'off', reason: 'Tics, seen by a doctor' },
    ],
  ]);
});

it('says so when somebody else has granted the same meanwhile', async () => {
  await panel();
  await pressWhenThere('Grant an accommodation');
  await screen.findByRole('dialog');
  fireEvent.click(screen.getByLabelText('Speech'));
  writes('Screen reader');
  held = [TICS, READER];
  press('Grant it');
  await screen.findByRole('alert');
  press('Grant it');
  await screen.findByText(/“Speech” is in another accommodation/);
  expect(puts).toEqual([]);
  fireEvent.click(screen.getByLabelText(/^Speech/));
  expect((screen.getByLabelText(/^Speech/) as HTMLInputElement).disabled).toBe(true);
});

it('takes one back after asking, and only that one', async () => {
  held = [TICS, READER];
  await panel();
  await pressWhenThere(/^Take back: No face/);
  await screen.findByRole('dialog', { name: 'Take this accommodation back?' });
  press('Keep it');
  await closed();
  expect(puts).toEqual([]);
  press(/^Take back: No face/);
  await pressWhenThere('Take it back');
  await closed();
  expect(puts).toEqual([[{ type_ids: [1046], what: 'relaxed', factor: 4, reason: 'Screen reader' }]]);
  expect(screen.getAllByRole('listitem').length).toBe(1);
});

it('says in the words of the server why it did not save, and what to do', async () => {
  refusal = Response.json(
    { title: 'The session is over', detail: 'It is completed.', what_to_do: 'Say why in the review.' },
    { status: 409, headers: { 'Content-Type': 'application/problem+json' } },
  );
  await panel();
  await pressWhenThere(/^Take back/);
  await pressWhenThere('Take it back');
  const note = await screen.findByRole('alert');
  for (const words of ['The session is over', 'It is completed.', 'Say why in the review.']) {
    expect(note.textContent).toContain(words);
  }
  expect(screen.getByRole('dialog')).toBeDefined();
});

it.each([
  ['the session is over', () => (state = 'completed')],
  ['nobody is signed in by name', () => (person = null)],
])('offers nothing to change when %s', async (_when, arrange) => {
  arrange();
  await panel();
  await waitFor(() => expect(asked).toBe(1));
  // What the answer sets off has run by then.
  await act(async () => undefined);
  expect(screen.getByRole('listitem').textContent).toContain('Dora');
  expect(screen.queryByRole('button')).toBeNull();
});
