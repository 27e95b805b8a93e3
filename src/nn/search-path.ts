/** What may run a network that is attacked: docs/execution-plan.md */
export const searchPaths = ['execution plan', 'operators'] as const;
export type SearchPath = (typeof searchPaths)[number];
