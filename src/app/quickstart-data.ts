/** The data sets that have recipes for a quickstart, the default first, and how a page names them. */
export const quickstartTitles = { 'fashion-mnist': 'Fashion-MNIST', cifar10: 'CIFAR-10' } as const;

export type QuickstartData = keyof typeof quickstartTitles;

export const quickstartData: readonly QuickstartData[] = ['fashion-mnist', 'cifar10'];
