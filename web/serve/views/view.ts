/** A view fills the page, and follows what it shows until the signal says that the page was left. */
export type View = (place: { readonly main: HTMLElement; readonly signal: AbortSignal }) => Promise<void>;
