/// The Jacobian [out…, in…] of `f` at `x`: J[i, j] = ∂fᵢ/∂xⱼ.
///
/// Reverse mode, one batched pullback over the basis of the output; where the input is smaller than the output, forward mode.
///
/// ```swift
/// let j = jacobian({ $0.matmul(a) }, at: x)
/// ```
public func jacobian(_ f: (Tensor) -> Tensor, at x: Tensor) -> Tensor {
  let (y, pullback) = vjp(f, at: x)
  if x.count < y.count {
    let columns = vmap(over: basis(like: x)) { v in jvp(f, at: x, along: v).tangent }
    let axes = Array(1..<(1 + y.rank)) + [0]
    return columns.permuted(axes).reshaped(y.shape + x.shape)
  }
  return vmap(over: basis(like: y), pullback).reshaped(y.shape + x.shape)
}

/// The Hessian [in…, in…] of a scalar function at `x`, forward over reverse, one batched pass.
///
/// Memory grows with the square of `x`'s size; for products with a few vectors use ``hvp(_:at:along:)``.
public func hessian(_ f: (Tensor) -> Tensor, at x: Tensor) -> Tensor {
  vmap(over: basis(like: x)) { v in hvp(f, at: x, along: v) }.reshaped(x.shape + x.shape)
}

/// The unit vectors of `x`'s space: [count, shape…].
private func basis(like x: Tensor) -> Tensor {
  Device.with(x.device) { Tensor.eye(x.count, dtype: x.dtype) }.reshaped([x.count] + x.shape)
}
