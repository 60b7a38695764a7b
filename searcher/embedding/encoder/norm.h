/* Layer normalisation of a row in float32, for the kernels in plain C. Ba, Kiros & Hinton 2016. */
#ifndef SEARCHER_NORM_H
#define SEARCHER_NORM_H

/* In place, of a row whose numbers add up to `sum`. */
static inline __attribute__((always_inline)) void normalise(float *row, int width, float sum, const float *scale,
                                                            const float *shift, float epsilon) {
    const float mean = sum / width;
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int i = 0; i < width; i++)
        squares += (row[i] - mean) * (row[i] - mean);
    const float by = 1 / __builtin_sqrtf(squares / width + epsilon);
#pragma omp simd
    for (int i = 0; i < width; i++)
        row[i] = (row[i] - mean) * by * scale[i] + shift[i];
}

#endif
