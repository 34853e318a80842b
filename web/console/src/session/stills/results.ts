/** What the check of a still came to, in words. */

import type { Capture } from '../../api/types';
import { reasonWords } from '../events/reasons';

export function resultOf(
  capture: Pick<Capture, 'passed' | 'reasons'>,
): { passed: boolean; text: string } | null {
  if (typeof capture.passed !== 'boolean') return null;
  if (capture.passed) return { passed: true, text: 'Passed' };
  // The messages are written to the candidate; here the codes are put in a reviewer's words.
  const reasons = (capture.reasons ?? []).map((reason) =>
    reasonWords(typeof reason === 'string' ? reason : reason.code),
  );
  return { passed: false, text: reasons.length > 0 ? `Not passed: ${reasons.join(', ')}` : 'Not passed' };
}
