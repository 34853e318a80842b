import { css, html, nothing, type TemplateResult } from 'lit';
import { base } from './styles';

/** Header and centred card: the frame of every screen outside the exam itself. */
export const frameStyles = [
  base,
  css`
    :host {
      min-height: 100dvh;
    }
    .page {
      min-height: 100dvh;
      display: grid;
      grid-template-rows: auto 1fr;
    }
    header {
      display: flex;
      align-items: center;
      gap: 0.75rem;
      padding: 0.75rem clamp(1rem, 3vw, 2rem);
      background: var(--surface);
      border-bottom: 1px solid var(--line);
      min-height: 4rem;
    }
    header .mark {
      flex: none;
      width: 2.25rem;
      height: 2.25rem;
    }
    header p {
      line-height: 1.3;
      min-width: 0;
    }
    header .org {
      color: var(--quiet);
      font-size: 0.875rem;
    }
    header .exam {
      font-weight: 650;
      overflow: hidden;
      text-overflow: ellipsis;
    }
    header .who {
      margin-inline-start: auto;
      text-align: end;
      color: var(--quiet);
      font-size: 0.875rem;
    }
    .card {
      background: var(--surface);
      border: 1px solid var(--line);
      border-radius: var(--radius);
      box-shadow: var(--shadow);
      padding: clamp(1.25rem, 4vw, 2.5rem);
    }
    @media (max-width: 640px) {
      header .who {
        display: none;
      }
      .card {
        border-radius: 0;
        border-inline: 0;
        box-shadow: none;
      }
    }
  `,
];

const mark = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
  <rect width="32" height="32" rx="8" fill="#134a86" />
  <circle cx="16" cy="16" r="8.5" fill="none" stroke="#fff" stroke-width="2.5" />
  <circle cx="16" cy="16" r="3.5" fill="#7fd1a8" />
</svg>`;

export function pageHeader(organization: string, exam: string, candidate = ''): TemplateResult {
  return html`<header>
    ${mark}
    <div>
      <p class="org">${organization}</p>
      <p class="exam">${exam}</p>
    </div>
    ${candidate ? html`<p class="who">${candidate}</p>` : nothing}
  </header>`;
}
