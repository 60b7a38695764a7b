/* Attention and layer normalisation over packed float32 tokens, for CPUs with AVX-512; one thread a call.
 *
 * A head of a text at a time: its keys are transposed, so that a vector holds 16 keys; six queries share each load.
 */
#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { QUERIES = 6, PAIR = 32 }; /* queries at once, and floats in two vectors */

/* 1 if the CPU has what this file needs. */
int searcher_float_supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
}

/* 2^x for x <= 0, relative error 1e-7: a power series for the part after the point. */
INLINE __m512 power_of_2(__m512 x) {
    const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512 rest = _mm512_sub_ps(x, whole); /* -0.5 ... 0.5 */
    static const float p[7] = {1.0f, 6.93147181e-1f, 2.40226507e-1f, 5.55041087e-2f, 9.61812911e-3f, 1.33335581e-3f,
                               1.54035304e-4f};
    __m512 y = _mm512_set1_ps(1.52527338e-5f);
    for (int k = 6; k >= 0; k--)
        y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(p[k]));
    return _mm512_scalef_ps(y, whole);
}

INLINE __mmask16 first(int count) { return count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1); }

/* Scores of a row -> weights that sum to 1, both in place. scale holds log2 e: weights are powers of 2. */
static void softmax(float *row, int length, float scale) {
    __m512 most = _mm512_set1_ps(-3.0e38f), sum = _mm512_setzero_ps();
    for (int i = 0; i < length; i += 16)
        most = _mm512_mask_max_ps(most, first(length - i), most, _mm512_load_ps(row + i));
    const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(most) * scale), scales = _mm512_set1_ps(scale);
    for (int i = 0; i < length; i += 16) {
        const __m512 shifted = _mm512_fmsub_ps(_mm512_load_ps(row + i), scales, top);
        const __m512 weight = _mm512_maskz_mov_ps(first(length - i), power_of_2(shifted));
        sum = _mm512_add_ps(sum, weight);
        _mm512_store_ps(row + i, weight);
    }
    const __m512 by = _mm512_set1_ps(1.0f / _mm512_reduce_add_ps(sum));
    for (int i = 0; i < length; i += 16)
        _mm512_store_ps(row + i, _mm512_mul_ps(_mm512_load_ps(row + i), by));
}

/* Two vectors of sums for each of six rows: left (6 rows, `steps` numbers each) times right (steps, 32). */
INLINE void products(const float *const left[QUERIES], const float *right, size_t stride, int steps, __mmask16 low,
                     __mmask16 high, __m512 sums[QUERIES][2]) {
    for (int q = 0; q < QUERIES; q++)
        sums[q][0] = sums[q][1] = _mm512_setzero_ps();
    for (int step = 0; step < steps; step++, right += stride) {
        const __m512 a = _mm512_maskz_loadu_ps(low, right), b = _mm512_maskz_loadu_ps(high, right + 16);
        for (int q = 0; q < QUERIES; q++) {
            const __m512 by = _mm512_set1_ps(left[q][step]);
            sums[q][0] = _mm512_fmadd_ps(by, a, sums[q][0]);
            sums[q][1] = _mm512_fmadd_ps(by, b, sums[q][1]);
        }
    }
}

/* One head of one text. q, k, v: (length, size), `row` apart; out: the same, `width` apart; keys: (size, padded) and
 * scores: (6, padded) are scratch, padded: length up to a multiple of 32. */
static void attend(const float *q, const float *k, const float *v, size_t row, int length, int size, float *out,
                   size_t width, float *keys, float *scores, int padded) {
    const float scale = 1.44269504f / __builtin_sqrtf((float)size);
    for (int j = 0; j < padded; j++)
        for (int c = 0; c < size; c++)
            keys[(size_t)c * padded + j] = j < length ? k[j * row + c] : 0;
    for (int at = 0; at < length; at += QUERIES) {
        const int count = length - at < QUERIES ? length - at : QUERIES;
        const float *left[QUERIES];
        __m512 sums[QUERIES][2];
        for (int i = 0; i < QUERIES; i++) /* behind the last, the last again */
            left[i] = q + (at + (i < count ? i : count - 1)) * row;
        for (int j = 0; j < padded; j += PAIR) {
            products(left, keys + j, padded, size, 0xffff, 0xffff, sums);
            for (int i = 0; i < QUERIES; i++) {
                _mm512_store_ps(scores + (size_t)i * padded + j, sums[i][0]);
                _mm512_store_ps(scores + (size_t)i * padded + j + 16, sums[i][1]);
            }
        }
        for (int i = 0; i < QUERIES; i++) {
            left[i] = scores + (size_t)i * padded;
            if (i < count)
                softmax(scores + (size_t)i * padded, length, scale);
        }
        for (int c = 0; c < size; c += PAIR) {
            const __mmask16 low = first(size - c), high = first(size - c - 16);
            products(left, v + c, row, length, low, high, sums);
            for (int i = 0; i < count; i++) {
                _mm512_mask_storeu_ps(out + (at + i) * width + c, low, sums[i][0]);
                _mm512_mask_storeu_ps(out + (at + i) * width + c + 16, high, sums[i][1]);
            }
        }
    }
}

/* Softmax attention within each text. qkv: (T, 3 * heads * size); bounds: (n + 1) of the texts; out: (T, heads * size).
 * Returns 0, or 1 when there is no memory. */
int searcher_float_attention(const float *qkv, const int64_t *bounds, int64_t n, int heads, int size, float *out) {
    int64_t longest = 0;
    for (int64_t i = 0; i < n; i++)
        longest = bounds[i + 1] - bounds[i] > longest ? bounds[i + 1] - bounds[i] : longest;
    const size_t width = (size_t)heads * size, most = (longest + PAIR - 1) / PAIR * PAIR;
    float *keys = aligned_alloc(64, (size + QUERIES) * most * sizeof(float) + 64);
    if (!keys)
        return 1;
    for (int64_t text = 0; text < n; text++) {
        const int length = (int)(bounds[text + 1] - bounds[text]), padded = (length + PAIR - 1) / PAIR * PAIR;
        for (int head = 0; head < heads; head++) {
            const float *q = qkv + bounds[text] * 3 * width + (size_t)head * size;
            attend(q, q + width, q + 2 * width, 3 * width, length, size, out + bounds[text] * width + (size_t)head * size,
                   width, keys, keys + (size_t)size * padded, padded);
        }
    }
    free(keys);
    return 0;
}

/* Layer normalisation of each row in place. x: (rows, width); scale, shift: (width,). Ba, Kiros & Hinton 2016. */
int searcher_float_layer_norm(float *x, int64_t rows, int width, const float *scale, const float *shift, float epsilon) {
    for (int64_t r = 0; r < rows; r++, x += width) {
        __m512 sum = _mm512_setzero_ps(), squares = sum;
        for (int i = 0; i < width; i += 16)
            sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(first(width - i), x + i));
        const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / width);
        for (int i = 0; i < width; i += 16) {
            const __mmask16 mask = first(width - i);
            const __m512 centred = _mm512_maskz_sub_ps(mask, _mm512_maskz_loadu_ps(mask, x + i), mean);
            squares = _mm512_fmadd_ps(centred, centred, squares);
        }
        const __m512 by = _mm512_set1_ps(1.0f / __builtin_sqrtf(_mm512_reduce_add_ps(squares) / width + epsilon));
        for (int i = 0; i < width; i += 16) {
            const __mmask16 mask = first(width - i);
            const __m512 value = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), mean), by);
            _mm512_mask_storeu_ps(x + i, mask, _mm512_fmadd_ps(value, _mm512_maskz_loadu_ps(mask, scale + i),
                                                               _mm512_maskz_loadu_ps(mask, shift + i)));
        }
    }
    return 0;
}
