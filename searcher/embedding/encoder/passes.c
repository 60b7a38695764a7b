/* What stands between products of bytes: float32 rows -> bytes, and sums of such products -> what follows a dense layer.
 *
 * Every row has a step of its own: a number is (byte - zero) * step. Plain C, compiled for AVX2 and for AVX-512, whose
 * vectors the compiler fills. One thread a call; no row depends on another.
 */
#include <stdint.h>

#include "gelu.h"
#include "norm.h"

#define INLINE static inline __attribute__((always_inline))

/* 1 if the CPU has what this file was compiled for. */
int searcher_bytes_supported(void) {
    __builtin_cpu_init();
#ifdef __AVX512F__
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq");
#else
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
}

/* A row as bytes 0 ... 255 around `zero`, with the least step that holds all of it. Returns the step, which is no number
 * where a value of the row is none. */
INLINE float as_bytes(const float *row, int width, int zero, uint8_t *out) {
    float most = 0, least = 0, poison = 0;
#pragma omp simd reduction(max : most) reduction(min : least) reduction(+ : poison)
    for (int i = 0; i < width; i++) {
        most = row[i] > most ? row[i] : most;
        least = row[i] < least ? row[i] : least;
        poison += 0 * row[i];
    }
    const float above = most / (255 - zero), below = zero ? -least / zero : 0, step = above > below ? above : below;
    const float by = step > 1e-30f ? 1 / step : 0, half = zero + 0.5f;
#pragma omp simd
    for (int i = 0; i < width; i++) {
        const float place = row[i] * by + half;
        out[i] = (uint8_t)(int32_t)(place > 0 ? place : 0); /* what is no number has no place either */
    }
    return step + poison;
}

/* out, steps: the rows of x as bytes. x: (rows, width) float32. */
int searcher_bytes(const float *x, int64_t rows, int width, int zero, uint8_t *out, float *steps) {
    for (int64_t r = 0; r < rows; r++)
        steps[r] = as_bytes(x + r * width, width, zero, out + r * width);
    return 0;
}

/* Sums of products of bytes -> numbers, in place: times their row's step, plus bias. */
int searcher_bytes_finish(float *sums, int64_t rows, int width, const float *steps, const float *bias) {
    for (int64_t r = 0; r < rows; r++, sums += width)
#pragma omp simd
        for (int i = 0; i < width; i++)
            sums[i] = sums[i] * steps[r] + bias[i];
    return 0;
}

INLINE void activate(float *row, int width, float step, const float *bias, int activation) {
    const float *p = SHARES[activation == RELU ? GELU : activation];
#pragma omp simd
    for (int i = 0; i < width; i++) {
        const float x = row[i] * step + bias[i];
        float z = x < GELU_END ? x : GELU_END;
        z = z > -GELU_END ? z : -GELU_END;
        float y = p[GELU_TERMS - 1];
        for (int k = GELU_TERMS - 2; k >= 0; k--)
            y = y * (z * z) + p[k];
        row[i] = activation == RELU ? (x < 0 ? 0 : x) : x * (z * y + 0.5f);
    }
}

/* The same, then the activation, as bytes. sums: (rows, width), overwritten. */
int searcher_bytes_activate(float *sums, int64_t rows, int width, const float *steps, const float *bias, int activation,
                            int zero, uint8_t *out, float *out_steps) {
    for (int64_t r = 0; r < rows; r++, sums += width, out += width) {
        if (activation == GELU)
            activate(sums, width, steps[r], bias, GELU);
        else if (activation == GELU_TANH)
            activate(sums, width, steps[r], bias, GELU_TANH);
        else
            activate(sums, width, steps[r], bias, RELU);
        out_steps[r] = as_bytes(sums, width, zero, out);
    }
    return 0;
}

/* The same, plus the state, normalised: the next state, and its bytes. state: (rows, width) float32, read and written. */
int searcher_bytes_normalise(const float *sums, int64_t rows, int width, const float *steps, const float *bias,
                             float *state, const float *scale, const float *shift, float epsilon, int zero, uint8_t *out,
                             float *out_steps) {
    for (int64_t r = 0; r < rows; r++, sums += width, state += width, out += width) {
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int i = 0; i < width; i++) {
            state[i] += sums[i] * steps[r] + bias[i];
            sum += state[i];
        }
        normalise(state, width, sum, scale, shift, epsilon);
        out_steps[r] = as_bytes(state, width, zero, out);
    }
    return 0;
}
