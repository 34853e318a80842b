import { css } from 'lit';

/** Shared by every component: text, buttons, notes, focus. */
export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
    color: var(--text);
    font-family: var(--font);
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol {
    margin: 0;
  }
  h1 {
    font-size: clamp(1.5rem, 1.2rem + 1.4vw, 2rem);
    line-height: 1.2;
    letter-spacing: -0.01em;
    font-weight: 680;
    text-wrap: balance;
  }
  h1:focus {
    outline: none;
  }
  h2 {
    font-size: 1.125rem;
    line-height: 1.35;
    font-weight: 650;
  }
  p {
    max-width: 68ch;
    text-wrap: pretty;
  }
  .quiet {
    color: var(--quiet);
  }
  .small {
    font-size: 0.875rem;
  }
  .stack {
    display: grid;
    gap: 1rem;
    justify-items: start;
  }
  .stack > * {
    max-width: 100%;
  }
  .hidden-visually {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
    border-radius: 6px;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;

export const buttons = css`
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    align-items: center;
  }
  .actions:empty {
    display: none;
  }
  button {
    font: inherit;
    font-weight: 600;
    line-height: 1.25;
    min-height: 2.75rem;
    padding: 0.6rem 1.25rem;
    border-radius: 10px;
    border: 1.5px solid var(--line-strong);
    background: var(--surface);
    color: var(--text);
    cursor: pointer;
    transition:
      background 120ms,
      border-color 120ms;
  }
  button:hover:not(:disabled) {
    background: var(--raised);
  }
  button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover:not(:disabled) {
    background: var(--accent-hover);
    border-color: var(--accent-hover);
  }
  button.plain {
    border-color: transparent;
    background: transparent;
    color: var(--accent);
    padding-inline: 0.75rem;
  }
  button:disabled {
    cursor: not-allowed;
    color: var(--quiet);
    background: var(--raised);
    border-color: var(--line);
  }
  @media (max-width: 480px) {
    .actions {
      width: 100%;
    }
    .actions button {
      flex: 1 1 100%;
    }
  }
`;

export const forms = css`
  label {
    font-weight: 600;
    display: grid;
    gap: 0.35rem;
  }
  select,
  textarea {
    font: inherit;
    font-weight: 400;
    color: var(--text);
    background: var(--surface);
    border: 1.5px solid var(--line-strong);
    border-radius: 10px;
    padding: 0.55rem 0.75rem;
    min-height: 2.75rem;
    max-width: 100%;
    width: 100%;
  }
  textarea {
    resize: vertical;
    min-height: 5.5rem;
  }
`;

export const notes = css`
  .note {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0.15rem 0.75rem;
    padding: 0.9rem 1.1rem;
    border-radius: 10px;
    border: 1px solid var(--line);
    border-inline-start: 4px solid var(--accent);
    background: var(--accent-soft);
    width: 100%;
  }
  .note svg {
    width: 1.35rem;
    height: 1.35rem;
    margin-top: 0.1rem;
    color: var(--accent);
    grid-row: span 2;
  }
  .note strong {
    font-weight: 650;
  }
  .note p,
  .note ul {
    grid-column: 2;
  }
  .note ul {
    padding-inline-start: 1.1rem;
  }
  .note.good {
    border-inline-start-color: var(--good);
    background: var(--good-soft);
  }
  .note.good svg {
    color: var(--good);
  }
  .note.warn {
    border-inline-start-color: var(--warn);
    background: var(--warn-soft);
  }
  .note.warn svg {
    color: var(--warn);
  }
  .note.bad {
    border-inline-start-color: var(--bad);
    background: var(--bad-soft);
  }
  .note.bad svg {
    color: var(--bad);
  }
  .region {
    width: 100%;
    display: grid;
    gap: 0.75rem;
  }
  .region:empty {
    display: none;
  }
`;
