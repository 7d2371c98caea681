"""Networks with one neuron at zero, drawn with their matrices stored: a twin of `at_zero`."""

import numpy as np

import finitewidth as fw


def events(net: fw.MLP, x: np.ndarray, place: int, count: int, rng: np.random.Generator):
    """N, 1/density², q, m and σ_a² of `count` networks whose last neuron of layer `place` is at 0.

    Explicit Jacobians: q = Σ_θ λ_θ (∂y_u/∂θ)² and m = Σ_θ λ_θ ∂y_u/∂θ ∂N_0/∂θ are sums over
    parameters, with N_0 the output without neuron u.
    """
    layers, slope = list(net.layers()), float(net.act.slope or 0.0)
    rate = net.bias_lr if net.trains_biases else 0.0
    weights = [
        np.sqrt(one.weight_variance) * rng.standard_normal((count, one.fan_out, one.fan_in))
        for one in layers
    ]
    density = np.zeros(count)
    below = np.broadcast_to(x[:, None], (count, len(x), 1))
    inputs, slopes = [below], []
    for j, w in enumerate(weights[:-1], start=1):
        if j == place:
            last, norm = w[:, -1, :], (inputs[-1] ** 2).sum(axis=(1, 2))
            along = np.einsum("mi,mi->m", last, inputs[-1][:, :, 0]) / np.where(norm > 0, norm, 1)
            w[:, -1, :] = last - along[:, None] * inputs[-1][:, :, 0]
            density = norm * 2 * np.pi * layers[j - 1].weight_variance
        y = w @ inputs[-1]
        if j == place:
            y[:, -1] = 0.0
        slopes.append(np.where(y > 0, 1.0, slope))
        inputs.append(y * slopes[-1])
    out = (weights[-1] @ inputs[-1])[:, 0, 0]
    deltas = [np.ones((count, 1, 1))]
    for w, mask in zip(reversed(weights[1:]), reversed(slopes), strict=True):
        deltas.append(w.transpose(0, 2, 1) @ deltas[-1] * mask)
    deltas = deltas[::-1]
    outgoing = layers[place].weight_variance * (deltas[place] ** 2).sum(axis=(1, 2))
    # without neuron u: its row has no gradient, and nothing flows back through it
    without = deltas[place - 1].copy()
    without[:, -1] = 0.0
    unit = np.zeros_like(without)
    unit[:, -1] = 1.0
    q, m = np.zeros(count), np.zeros(count)
    for j in range(place, 0, -1):
        factor, above = layers[j - 1].weight_lr, inputs[j - 1]
        of_unit = unit @ above.transpose(0, 2, 1)  # ∂y_u/∂Ŵ^(j)
        of_output = without @ above.transpose(0, 2, 1)
        q += factor * (of_unit**2).sum(axis=(1, 2)) + rate * (unit**2).sum(axis=(1, 2))
        m += factor * (of_unit * of_output).sum(axis=(1, 2))
        m += rate * (unit * without).sum(axis=(1, 2))
        if j > 1:
            back = weights[j - 1].transpose(0, 2, 1)
            unit, without = back @ unit * slopes[j - 2], back @ without * slopes[j - 2]
    return out, density, q, m, outgoing
