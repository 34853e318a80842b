/** What zooming by one step of a button or key does. */
export const ZOOM_STEP = 1.6;
