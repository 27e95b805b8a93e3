/**
 * The attacks on which a comparison of networks stands unless others are named; an image counts as robust if neither
 * breaks it. APGD on the cross-entropy and on the difference-of-logits ratio (Croce and Hein, 2020; the plain margin
 * with two classes): one fails where the other's gradient vanishes, and both adapt their step size. A PGD of fixed step
 * alone flatters networks that mask their gradient; `apgd-t` finds slightly more, at nine times the cost.
 */
export const comparisonAttacks: readonly string[] = ['apgd-ce', 'apgd-dlr'];
