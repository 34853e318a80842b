import { afterEach, describe, expect, it } from 'vitest';
import { SHORTCUTS, shortcutFor } from './shortcuts';

function press(key: string, html = '', init: KeyboardEventInit = {}) {
  document.body.innerHTML = html;
  const target = document.body.querySelector('[data-here]') ?? document.body;
  const event = new KeyboardEvent('keydown', { key, bubbles: true, ...init });
  let found: string | null = null;
  const listen = (e: KeyboardEvent) => {
    found = shortcutFor(e)?.text ?? null;
  };
  document.addEventListener('keydown', listen);
  target.dispatchEvent(event);
  document.removeEventListener('keydown', listen);
  return found;
}

afterEach(() => {
  document.body.innerHTML = '';
});

describe('keyboard shortcuts', () => {
  it('has one meaning for each key', () => {
    const keys = SHORTCUTS.flatMap((shortcut) => shortcut.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('finds what a key means', () => {
    expect(press('n')).toBe('Next finding');
    expect(press(' ')).toBe('Play or pause');
    expect(press('=')).toBe('Zoom in');
    expect(press('x')).toBeNull();
  });

  it('stays out of the way while typing', () => {
    expect(press('n', '<input data-here>')).toBeNull();
    expect(press('?', '<textarea data-here></textarea>')).toBeNull();
    expect(press(' ', '<div role="dialog"><p data-here></p></div>')).toBeNull();
  });

  it('leaves keys to what has the focus', () => {
    expect(press(' ', '<button data-here>x</button>')).toBeNull();
    expect(press('n', '<button data-here>x</button>')).toBe('Next finding');
    expect(press('ArrowDown', '<div role="listbox" data-here></div>')).toBeNull();
    expect(press('ArrowRight', '<div role="listbox" data-here></div>')).toBe('5 seconds on');
    expect(press('ArrowRight', '<div role="tablist"><i data-here></i></div>')).toBeNull();
    expect(press('ArrowRight', '<div role="slider" data-here></div>')).toBeNull();
    expect(press('ArrowRight', '<div role="slider" data-playhead data-here></div>')).toBe('5 seconds on');
  });

  it('leaves combinations to the browser', () => {
    expect(press('p', '', { ctrlKey: true })).toBeNull();
    expect(press('0', '', { metaKey: true })).toBeNull();
  });

  it('does not flicker while a key is held, except where holding makes sense', () => {
    expect(press(' ', '', { repeat: true })).toBeNull();
    expect(press('ArrowRight', '', { repeat: true })).toBe('5 seconds on');
  });
});
