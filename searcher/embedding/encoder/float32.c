/* Layers of a BERT over packed tokens in float32, each dense layer with what follows it; one thread a call.
 *
 * All arrays hold a multiple of ROWS rows, of which those behind the last token hold nothing of meaning. A row's numbers do
 * not depend on the others. Weights are multiplied in panels: those of as many outputs as a block of sums is wide, and for
 * each input these outputs side by side. They come packed so, or as checkpoints have them, the inputs of an output side by
 * side, of which the sums are the same to the bit. A width is a multiple of LANES.
 */
#include "float32.h"

#include "gelu.h"
#include "norm.h"

enum { DEEP = 128, CHUNK = 16 * ROWS }; /* a panel of so many inputs stays in the first cache, so many rows in the second */

/* 1 if the CPU has what this file was compiled for. */
int searcher_float32_supported(void) {
#if defined(__AVX512F__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq");
#elif defined(__AVX2__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 1; /* every 64-bit ARM has NEON */
#endif
}

/* What widths have to be multiples of, and arrays' rows. */
int searcher_float32_lanes(void) { return LANES; }
int searcher_float32_rows(void) { return ROWS; }

typedef struct {
    const float *weights, *bias;
} dense;

typedef struct {
    const float *scale, *shift;
} norm;

typedef struct {
    dense query, key, value, output;
    norm first;
    dense up, down;
    norm second;
} layer;

/* Part of a panel: so many outputs, `depth` apart, and their first `deep` inputs. */
static void pack_part(const float *weights, size_t depth, int deep, size_t across, float *out) {
    for (size_t j = 0; j < across; j++)
        for (int k = 0; k < deep; k++)
            out[k * across + j] = weights[j * depth + k];
}

/* Weights (width, depth) as panels one after the other. */
int searcher_pack(const float *weights, int width, int depth, float *out) {
    for (size_t at = 0, across; at < (size_t)width; at += across) {
        across = panel(width - at);
        for (int begin = 0; begin < depth; begin += DEEP)
            pack_part(weights + at * depth + begin, depth, depth - begin < DEEP ? depth - begin : DEEP, across,
                 out + at * depth + begin * across);
    }
    return 0;
}

/* out = x weights + bias, for at most CHUNK rows. x: (rows, depth); out: (rows, width), `apart` from a row to the next. */
static void multiply_chunk(const float *x, int rows, int depth, dense by, int width, int packed, float *out,
                           size_t apart) {
    float room[MOST * LANES * DEEP];
    for (size_t at = 0, across; at < (size_t)width; at += across) {
        across = panel(width - at);
        for (int begin = 0; begin < depth; begin += DEEP) {
            const int deep = depth - begin < DEEP ? depth - begin : DEEP;
            const float *weights = by.weights + at * depth + begin * (packed ? across : 1);
            if (!packed)
                pack_part(weights, depth, deep, across, room);
            for (int r = 0; r < rows; r += ROWS) {
                const float *left[ROWS];
                float *to = out + r * apart + at;
                for (int i = 0; i < ROWS; i++)
                    left[i] = x + (size_t)(r + i) * depth + begin;
                multiply(left, deep, packed ? weights : room, across, across, begin ? to : by.bias + at,
                         begin ? apart : 0, to, apart);
            }
        }
    }
}

/* erf, by the rational approximation of Eigen's generic_fast_erf: within 4 units in the last place. */
INLINE float erf_(float x) {
    const float end = 3.832506856900711f, low = x > -end ? x : -end, held = low < end ? low : end, square = held * held;
    float over = 2.2905065861350646e-4f;
    over = over * square + 3.4082910107109506e-3f;
    over = over * square + 5.0955695062380861e-2f;
    over = over * square + 1.8520832239976145e-1f;
    over = over * square + 1.128379143519084f;
    float under = -1.1791602954361697e-7f;
    under = under * square + 2.3547966471313185e-5f;
    under = under * square + 1.0179625278914885e-3f;
    under = under * square + 1.4070470171167667e-2f;
    under = under * square + 1.1098505178285362e-1f;
    under = under * square + 4.9746925110067538e-1f;
    under = under * square + 1.0f;
    return held * over / under;
}

INLINE float active(float x, int activation) {
    if (activation == RELU)
        return x < 0 ? 0 : x;
    if (activation == GELU)
        return 0.5f * x * (1 + erf_(x * 0.70710678f));
    /* (1 + tanh u) / 2 = 1 / (1 + e^-2u), by the power that is at most 1. */
    const float u = 2 * 0.7978845608f * (x + 0.044715f * x * x * x), e = power_of_e(u < 0 ? u : -u);
    return x * (u < 0 ? e : 1) / (1 + e);
}

INLINE void activate(float *values, size_t count, int activation) {
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        values[i] = active(values[i], activation);
}

/* A row gains another and is normalised. */
INLINE void add_normalised(float *row, const float *more, int width, norm then, float epsilon) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < width; i++) {
        row[i] += more[i];
        sum += row[i];
    }
    normalise(row, width, sum, then.scale, then.shift, epsilon);
}

INLINE int64_t chunk(int64_t left) { return left < CHUNK ? left : CHUNK; }

/* out = x weights + bias. x: (rows, depth); out: (rows, width), `apart` from a row to the next. */
static void dense_plain(const float *x, int64_t rows, int depth, dense by, int width, int packed, float *out,
                        size_t apart) {
    for (int64_t r = 0; r < rows; r += CHUNK)
        multiply_chunk(x + r * depth, chunk(rows - r), depth, by, width, packed, out + r * apart, apart);
}

/* out = activation(x weights + bias). */
static void dense_activated(const float *x, int64_t rows, int depth, dense by, int width, int packed, int activation,
                            float *out) {
    for (int64_t r = 0; r < rows; r += CHUNK) {
        const int64_t some = chunk(rows - r);
        float *to = out + r * width;
        multiply_chunk(x + r * depth, some, depth, by, width, packed, to, width);
        if (activation == GELU)
            activate(to, some * width, GELU);
        else if (activation == GELU_TANH)
            activate(to, some * width, GELU_TANH);
        else
            activate(to, some * width, RELU);
    }
}

/* out = normalised(x weights + bias + residual). residual: (rows, width); x may not be out, nor residual. */
static void dense_norm(const float *x, int64_t rows, int depth, dense by, int width, int packed, const float *residual,
                       norm then, float epsilon, float *out) {
    for (int64_t r = 0; r < rows; r += CHUNK) {
        const int64_t some = chunk(rows - r);
        multiply_chunk(x + r * depth, some, depth, by, width, packed, out + r * width, width);
        for (int64_t i = r * width; i < (r + some) * width; i += width)
            add_normalised(out + i, residual + i, width, then, epsilon);
    }
}

/* Embeddings of each token: its word, place and kind, summed and normalised. words, positions, types: tables of `width`; ids,
 * places, segments: (rows,) into them; out: (rows, width). */
int searcher_embed(const float *words, const float *positions, const float *types, const int64_t *ids,
                   const int64_t *places, const int64_t *segments, int64_t rows, int width, const float *scale,
                   const float *shift, float epsilon, float *out) {
    for (int64_t row = 0; row < rows; row++, out += width) {
        const float *word = words + ids[row] * width, *place = positions + places[row] * width;
#pragma omp simd
        for (int i = 0; i < width; i++)
            out[i] = word[i] + place[i];
        add_normalised(out, types + segments[row] * width, width, (norm){scale, shift}, epsilon);
    }
    return 0;
}

/* Layers one after the other. packed: whether their weights are. state, between, mixed: (rows, width); qkv: (rows, 3 * width);
 * hidden: (rows, inner); `state` is read and written. bounds: (n + 1) of the texts. Returns 0, or 1 when there is no memory. */
int searcher_layers(const layer *layers, int count, int packed, int64_t rows, int width, int inner, int heads,
                    int activation, float epsilon, const int64_t *bounds, int64_t n, float *qkv, float *mixed,
                    float *hidden, float *between, float *state) {
    for (const layer *l = layers; l < layers + count; l++) {
        const dense inputs[] = {l->query, l->key, l->value};
        for (int i = 0; i < 3; i++)
            dense_plain(state, rows, width, inputs[i], width, packed, qkv + i * width, 3 * width);
        if (searcher_attention(qkv, bounds, n, heads, width / heads, mixed))
            return 1;
        dense_norm(mixed, rows, width, l->output, width, packed, state, l->first, epsilon, between);
        dense_activated(between, rows, width, l->up, inner, packed, activation, hidden);
        dense_norm(hidden, rows, inner, l->down, width, packed, between, l->second, epsilon, state);
    }
    return 0;
}
