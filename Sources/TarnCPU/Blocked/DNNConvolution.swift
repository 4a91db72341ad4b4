import CTarnDNN
import CTarnKernels

/// oneDNN's convolution for one geometry, pass and epilogue: a candidate that measurements may choose.
final class DNNConvolution: @unchecked Sendable {  // an operation is constant once it is made
  private let operation: OpaquePointer
  private let pass: Int32

  /// nil if oneDNN is not there or has nothing for this.
  init?(_ convolution: BlockedConvolution) {
    let epilogue = convolution.epilogue
    guard let algorithm = convolution.algorithm.oneDNN, epilogue.activation != .clip else {
      return nil
    }
    var options = tarn_dnn_options()
    options.algorithm = Int32(algorithm.rawValue)
    options.constant_weights = 1
    if epilogue.hasScale { options.extras |= Int32(TARN_DNN_SCALE.rawValue) }
    if epilogue.hasShift { options.extras |= Int32(TARN_DNN_SHIFT.rawValue) }
    if epilogue.hasResidual { options.extras |= Int32(TARN_DNN_RESIDUAL.rawValue) }
    options.activation = Int32(epilogue.activation.rawValue)
    pass = Int32(convolution.pass.rawValue)
    let found = withUnsafePointer(to: convolution.layout) { conv in
      tarn_dnn_convolution(conv, Int32(convolution.pass.rawValue), &options)
    }
    guard let found else { return nil }
    operation = found
  }

  deinit { tarn_dnn_release(operation) }

  var packedCount: Int { Int(tarn_dnn_packed_count(operation)) }

  func pack(_ w: UnsafePointer<Float>, _ packed: UnsafeMutablePointer<Float>) -> Int32 {
    tarn_dnn_pack(operation, w, packed)
  }

  func run(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ epilogue: UnsafePointer<tarn_epilogue>,
    _ result: UnsafeMutablePointer<Float>
  ) -> Int32 {
    switch UInt32(pass) {
    case TARN_PASS_FORWARD.rawValue: tarn_dnn_forward(operation, a, b, epilogue, result)
    case TARN_PASS_INPUT_GRADIENT.rawValue: tarn_dnn_input_gradient(operation, a, b, result)
    default: tarn_dnn_weight_gradient(operation, a, b, result)
    }
  }
}

extension BlockedConvolution.Algorithm {
  /// What oneDNN calls it; nil for our own kernels.
  var oneDNN: tarn_dnn_algorithm? {
    switch self {
    case .oneDNNDirect: TARN_DNN_DIRECT
    case .oneDNNWinograd: TARN_DNN_WINOGRAD
    default: nil
    }
  }
}
