import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { MemoryRouter } from 'react-router';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SessionSummary } from '../api/types';
import { stubBrowser } from '../testing/browser';
import { SessionsPage } from './SessionsPage';

const session = (name: string): SessionSummary => ({
  id: name,
  state: 'completed',
  exam: { id: 'e', title: 'Exam', url: null },
  candidate: { external_id: name, name, email: null },
  attempt: 1,
  created_at: 1_700_000_000_000,
  joined_at: null,
  started_at: null,
  deadline_at: null,
  finish_requested_at: null,
  completed_at: 1_700_000_100_000,
  outcome: 'finished',
  connected: false,
  findings: { high: 0, medium: 0, low: 0, info: 0 },
  last_sequence: 1,
});

let broken: boolean;
let askedForMore: number;

/** What jsdom lacks: places that are in view, and such as have a size. */
class InView {
  constructor(private readonly tell: IntersectionObserverCallback) {}
  observe(target: Element) {
    const entry = { isIntersecting: true, target } as unknown as IntersectionObserverEntry;
    this.tell([entry], this as unknown as IntersectionObserver);
  }
  unobserve() {}
  disconnect() {}
}

beforeEach(() => {
  broken = true;
  askedForMore = 0;
  vi.stubGlobal('IntersectionObserver', InView);
  stubBrowser();
  vi.stubGlobal('fetch', async (path: string) => {
    if (!path.includes('/sessions')) return Response.json({ items: [], next: null });
    if (!path.includes('cursor=')) return Response.json({ items: [session('Ada')], next: 'more' });
    askedForMore += 1;
    return broken
      ? new Response('', { status: 500 })
      : Response.json({ items: [session('Grace')], next: null });
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it('says that more sessions could not be loaded, and asks for them again only when told to', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider>
      <QueryClientProvider client={client}>
        <MemoryRouter>
          <SessionsPage />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  );
  await screen.findByText('More sessions could not be loaded.');
  // What a change of the page sets off has run by then.
  await act(async () => undefined);
  expect(askedForMore).toBe(1);
  expect(screen.getByText('Ada')).toBeDefined();
  broken = false;
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await screen.findByText('Grace');
  expect(screen.queryByText('More sessions could not be loaded.')).toBeNull();
});
