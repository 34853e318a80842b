import catalogFile from '@catalog';
import { MantineProvider } from '@mantine/core';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { useState } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Catalog, SessionEvent } from '../../api/types';
import { stubBrowser } from '../../testing/browser';
import { aSession, T } from '../../testing/session';
import { type Desk, DeskContext } from '../desk';
import { buildModel } from '../model';
import { Playback } from '../players/playback';
import { TimelineWindow } from '../timeline/timelineWindow';
import { EventsPanel } from './EventsPanel';

const catalog = catalogFile as unknown as Catalog;

const events = Array.from(
  { length: 40 },
  (_, index): SessionEvent => ({
    sequence: index + 1,
    type_id: 5,
    name: `Event ${index + 1}`,
    source: 'page',
    category: 'focus',
    severity: 'low',
    occurred_at: T + index * 1_000,
    received_at: T + index * 1_000,
    data: {},
    evidence: [],
    link: 'a'.repeat(64),
  }),
);

const session = aSession({
  completed_at: T + 60_000,
  outcome: 'finished',
  findings: { high: 0, medium: 0, low: 40, info: 0 },
  last_sequence: 40,
});

const model = buildModel(session, catalog, events, [], []);
const playback = new Playback(T);
const timeline = new TimelineWindow(model.bounds);

function Page() {
  const [selected, choose] = useState<SessionEvent | null>(null);
  const desk: Desk = {
    model,
    playback,
    window: timeline,
    selected,
    choose,
    goTo: () => undefined,
    stepFinding: () => undefined,
    openStill: () => undefined,
  };
  return (
    <MantineProvider>
      <DeskContext value={desk}>
        <EventsPanel />
      </DeskContext>
    </MantineProvider>
  );
}

beforeEach(() => {
  // What jsdom lacks: a size, and somebody who tells of it.
  vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(400);
  vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(300);
  HTMLElement.prototype.scrollTo = () => undefined;
  stubBrowser();
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const list = () => screen.getByRole('listbox', { name: /Events/ });

/** The row that the keys and a screen reader are at. */
function row(): string | null | undefined {
  if (document.activeElement !== list()) return null;
  return document.getElementById(list().getAttribute('aria-activedescendant') ?? '')?.textContent;
}

/** As the keyboard does: the button has the focus, and takes it along. */
function closeDetails(): void {
  const close = screen.getByRole('button', { name: 'Close the details' });
  close.focus();
  fireEvent.click(close);
}

it('goes back to the row of an event when its details are closed, and on from there', () => {
  render(<Page />);
  list().focus();
  for (let times = 0; times < 3; times += 1) fireEvent.keyDown(list(), { key: 'ArrowDown' });
  expect(row()).toContain('Event 4');
  closeDetails();
  expect(screen.queryByRole('button', { name: 'Close the details' })).toBeNull();
  expect(row()).toContain('Event 4');
  fireEvent.keyDown(list(), { key: 'Enter' });
  expect(screen.getByRole('heading', { name: 'Event 4' })).toBeDefined();
  closeDetails();
  fireEvent.keyDown(list(), { key: 'ArrowDown' });
  expect(screen.getByRole('heading', { name: 'Event 5' })).toBeDefined();
});

it('keeps the focus on the list when a row is picked, for rows leave the page when they are out of sight', () => {
  render(<Page />);
  const picked = screen.getByRole('option', { name: /Event 3(?!\d)/ });
  picked.focus();
  fireEvent.click(picked);
  expect(row()).toContain('Event 3');
});

it('keeps the focus near when no row is left to go back to', async () => {
  render(<Page />);
  fireEvent.click(screen.getByRole('option', { name: /Event 3(?!\d)/ }));
  fireEvent.change(screen.getByLabelText('Search the events'), { target: { value: 'nothing is called so' } });
  const words = await screen.findByText('No event matches the filter.');
  closeDetails();
  expect(document.activeElement).toBe(words);
});
