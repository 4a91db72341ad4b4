import TarnCore

/// Decompositions by LAPACK.
enum LinearAlgebraKernels {
  static func body(_ op: Op, _ x: [View], _ y: View) -> KernelStep.Body? { nil }
}
