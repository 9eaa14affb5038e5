"use strict";
/* One training step in numbers, by the rules of kerasteach.trace_step: E, dE/da, dE/dz, dE/dW, dE/db, new weights.
   Numbers of examples are arrays [example][unit]; W is [source][unit] and b is [unit]. */

const FUNCTIONS = {
  binary_step: { of: (z) => (z >= 0 ? 1 : 0), slope: () => 0 },
  linear: { of: (z) => z, slope: () => 1 },
  sigmoid: { of: sigmoid, slope: (z) => sigmoid(z) * (1 - sigmoid(z)) },
  tanh: { of: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
  relu: { of: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  leaky_relu: { of: (z, low) => (z > 0 ? z : low * z), slope: (z, low) => (z > 0 ? 1 : low) },
};

function sigmoid(z) {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

function softplus(z) {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

function logSoftmax(z) {
  const largest = Math.max(...z);
  const log = largest + Math.log(z.reduce((sum, score) => sum + Math.exp(score - largest), 0));
  return z.map((score) => score - log);
}

function softmax(z) {
  return logSoftmax(z).map(Math.exp);
}

function added(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Return a of one example. */
function activated(layer, z) {
  if (layer.activation === "softmax") return softmax(z);
  return z.map((score) => FUNCTIONS[layer.activation].of(score, layer.negative_slope));
}

/** Return da/dz of one unit, for a function whose outputs each depend on their own z alone; else null. */
function slopeAt(layer, z) {
  const known = layer.known && FUNCTIONS[layer.activation];
  return known ? known.slope(z, layer.negative_slope) : null;
}

/** Return dE/dz of one example from dE/da. */
function throughActivation(layer, z, error) {
  if (layer.activation !== "softmax") return error.map((value, unit) => value * slopeAt(layer, z[unit]));
  const a = softmax(z);
  return a.map((own, unit) => added(error.map((value, j) => value * a[j] * ((j === unit ? 1 : 0) - own))));
}

function forwardPass(network, weights) {
  const outputs = [];
  let x = network.layers[0].x;
  network.layers.forEach((layer, number) => {
    const { W, b } = weights[number];
    const z = x.map((row) => {
      if (!W) return row;
      return W[0].map((_, unit) => added(row.map((value, source) => value * W[source][unit])) + (b ? b[unit] : 0));
    });
    const a = z.map((scores) => activated(layer, scores));
    outputs.push({ x, z, a });
    x = a;
  });
  return outputs;
}

/* Each loss: the error of one example, and dE/da of it before it is divided, from its targets t, z and a. */
const LOSSES = {
  half_squared_error: {
    each: (t, z, a) => added(t.map((target, k) => (target - a[k]) ** 2)) / 2,
    signal: (t, a) => a.map((output, k) => output - t[k]),
  },
  mean_squared_error: {
    each: (t, z, a) => added(t.map((target, k) => (target - a[k]) ** 2)) / t.length,
    signal: (t, a) => a.map((output, k) => 2 * (output - t[k])),
  },
  "cross-entropy of softmax": {
    each: (t, z) => crossEntropy(t, z),
    signal: (t, a) => a.map((output, k) => (t[k] === 0 ? 0 : -t[k] / output)),
  },
  "cross-entropy of logits": {
    each: (t, z, a) => crossEntropy(t, a),
    signal: (t, a) => softmax(a).map((output, k) => output - t[k]),
  },
  "binary cross-entropy of sigmoid": {
    each: (t, z) => binaryCrossEntropy(t, z),
    signal: (t, a) =>
      a.map((output, k) => (t[k] === 0 ? 0 : -t[k] / output) + (t[k] === 1 ? 0 : (1 - t[k]) / (1 - output))),
  },
  "binary cross-entropy of logits": {
    each: (t, z, a) => binaryCrossEntropy(t, a),
    signal: (t, a) => a.map((output, k) => sigmoid(output) - t[k]),
  },
};

function crossEntropy(t, logits) {
  const logs = logSoftmax(logits);
  return 0 - added(t.map((target, k) => target * logs[k]));
}

function binaryCrossEntropy(t, logits) {
  return added(t.map((target, k) => softplus(logits[k]) - target * logits[k])) / t.length;
}

/** Return the error of each example, and E of the batch. */
function batchError(loss, output) {
  const each = loss.targets.map((t, example) => LOSSES[loss.formula].each(t, output.z[example], output.a[example]));
  return { each, total: loss.mean ? added(each) / each.length : added(each) };
}

/** Return dE/da and dE/dz of each layer. */
function backwardPass(network, weights, outputs) {
  const { loss, layers } = network;
  const signals = [];
  const last = outputs[outputs.length - 1];
  let error = loss.targets.map((t, e) => LOSSES[loss.formula].signal(t, last.a[e]).map((v) => v / loss.divisor));
  for (let number = layers.length - 1; number >= 0; number--) {
    const { z, a } = outputs[number];
    const fused = loss.fused && number === layers.length - 1;
    const delta = fused
      ? a.map((row, e) => row.map((output, k) => (output - loss.targets[e][k]) / loss.divisor))
      : error.map((row, e) => throughActivation(layers[number], z[e], row));
    signals[number] = { error, delta };
    const { W } = weights[number];
    error = W ? delta.map((row) => W.map((of) => added(of.map((weight, unit) => weight * row[unit])))) : delta;
  }
  return signals;
}

/** Return dE/dW and dE/db of a layer, summed over the examples; null for a variable that is not trained. */
function gradientsOf(layer, x, delta) {
  const rules = {
    W: () => x[0].map((_, source) => delta[0].map((__, unit) => added(x.map((row, e) => row[source] * delta[e][unit])))),
    b: () => delta[0].map((_, unit) => added(delta.map((row) => row[unit]))),
  };
  const found = {};
  for (const letter of Object.keys(layer.weights)) found[letter] = layer.weights[letter].gradient && rules[letter]();
  return found;
}

/** Return values less the rate times their gradients, of W or of b. */
function moved(values, gradient, rate) {
  if (Array.isArray(values)) return values.map((value, place) => moved(value, gradient[place], rate));
  return values - rate * gradient;
}

/** Return all numbers of the step with these weights and this learning rate. */
function computedStep(network, weights, rate) {
  const outputs = forwardPass(network, weights);
  const signals = backwardPass(network, weights, outputs);
  const layers = network.layers.map((layer, number) => {
    const gradient = gradientsOf(layer, outputs[number].x, signals[number].delta);
    const after = {};
    for (const letter of Object.keys(layer.weights)) {
      const values = weights[number][letter];
      after[letter] = gradient[letter] ? moved(values, gradient[letter], rate) : values;
    }
    return { ...outputs[number], ...signals[number], before: weights[number], gradient, after };
  });
  const next = forwardPass(network, layers.map((layer) => layer.after));
  const { each, total } = batchError(network.loss, outputs[outputs.length - 1]);
  return { layers, each, total, next: batchError(network.loss, next[next.length - 1]).total, rate };
}

/** Return the numbers as they were traced. */
function tracedStep(network) {
  const layers = network.layers.map((layer) => {
    const { x, z, a, error, delta } = layer;
    const [before, gradient, after] = ["before", "gradient", "after"].map((when) =>
      Object.fromEntries(Object.entries(layer.weights).map(([letter, values]) => [letter, values[when]])),
    );
    return { x, z, a, error, delta, before, gradient, after };
  });
  return { layers, each: network.each, total: network.total, next: network.next, rate: network.rate };
}
