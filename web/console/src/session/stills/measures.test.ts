import { describe, expect, it } from 'vitest';
import { measuresOf } from './measures';

describe('measures of a check', () => {
  it('reads plain numbers and measures with their limits', () => {
    expect(
      measuresOf({
        faces: 1,
        sharpness: { value: 123.456, min: 40 },
        brightness: { value: 250, min: 60, max: 220 },
        pose: { value: 'frontal' },
      }),
    ).toEqual([
      { key: 'faces', label: 'Faces', value: '1', limit: '', passed: null },
      { key: 'sharpness', label: 'Sharpness', value: '123.5', limit: 'at least 40', passed: true },
      {
        key: 'brightness',
        label: 'Brightness',
        value: '250',
        limit: 'at least 60, at most 220',
        passed: false,
      },
      { key: 'pose', label: 'Pose', value: 'frontal', limit: '', passed: null },
    ]);
  });

  it("takes the check's own word on whether a measure passed", () => {
    expect(measuresOf({ glare: { value: 0.02, limit: 0.1, passed: true } })[0]).toMatchObject({
      limit: 'limit 0.10',
      passed: true,
    });
  });
});
