/** What leaderboards call ImageNet: 5,000 images of `val`, in RobustBench's order. */
export const robustbenchSubset = 'robustbench-5000';
