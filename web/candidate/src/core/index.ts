/** The room without its looks: what a page of one's own builds on. */

export { type Entered, EntryError, type EntryFault, enterAgain, enterByLink } from './entry';
export { ExamSession } from './session';
export type { CheckResult, CheckState, Policy, Room } from './types';
export type { Phase, SessionView } from './view';
