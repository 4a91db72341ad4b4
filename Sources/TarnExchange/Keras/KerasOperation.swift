import TarnCore

/// A variable that a layer needs.
struct KerasVariable: Sendable, Hashable {
  /// `kernel`
  var name: String
  /// Its lengths where the configuration tells them; nil: any number of axes.
  var shape: [Int?]?
  var isTrainable = true
  /// Where in the layer's group it lies in files of Keras 3, such as `cell`.
  var part = ""

  init(_ name: String, shape: [Int?]?, isTrainable: Bool = true, part: String = "") {
    (self.name, self.shape, self.isTrainable, self.part) = (name, shape, isTrainable, part)
  }

  /// Only the number of axes and the length of the last are known.
  init(_ name: String, rank: Int?, last: Int? = nil, isTrainable: Bool = true) {
    shape = rank.map { [Int?](repeating: nil, count: max($0 - 1, 0)) + ($0 > 0 ? [last] : []) }
    (self.name, self.isTrainable) = (name, isTrainable)
  }

  func fits(_ tensor: Tensor) -> Bool {
    guard let shape else { return true }
    return shape.count == tensor.rank
      && zip(shape, tensor.shape).allSatisfy { $0 == nil || $0 == $1 }
  }

  /// The same one group deeper.
  func within(_ outer: String) -> KerasVariable {
    var result = self
    result.part = part.isEmpty ? outer : "\(outer)/\(part)"
    return result
  }
}

/// What a layer of Keras computes, in inference, in Keras's own layout.
protocol KerasOperation: Sendable {
  var variables: [KerasVariable] { get }
  /// Numbers of axes that its inputs may have.
  var ranks: ClosedRange<Int> { get }
  /// Numbers of inputs.
  var inputs: ClosedRange<Int> { get }
  /// `variables` are as many as named, of the ranks they should have.
  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor
}

extension KerasOperation {
  var variables: [KerasVariable] { [] }
  var ranks: ClosedRange<Int> { 1...16 }
  var inputs: ClosedRange<Int> { 1...1 }
}

/// A layer with one input and no variables.
struct KerasFunction: KerasOperation {
  let ranks: ClosedRange<Int>
  let function: @Sendable (Tensor) -> Tensor

  init(ranks: ClosedRange<Int> = 1...16, _ function: @escaping @Sendable (Tensor) -> Tensor) {
    (self.ranks, self.function) = (ranks, function)
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor { function(inputs[0]) }
}

/// The layers that are known, by class.
enum KerasLayers {
  typealias Maker = @Sendable (KerasConfig) throws -> any KerasOperation

  static let all: [String: Maker] = [
    "Dense": KerasDense.init, "Embedding": KerasEmbedding.init,
    "Conv1D": { try KerasConvolution($0, axes: 1) },
    "Conv2D": { try KerasConvolution($0, axes: 2) },
    "Convolution1D": { try KerasConvolution($0, axes: 1) },
    "Convolution2D": { try KerasConvolution($0, axes: 2) },
    "DepthwiseConv1D": { try KerasDepthwise($0, axes: 1) },
    "DepthwiseConv2D": { try KerasDepthwise($0, axes: 2) },
    "SeparableConv1D": { try KerasSeparable($0, axes: 1) },
    "SeparableConv2D": { try KerasSeparable($0, axes: 2) },
    "Conv1DTranspose": { try KerasTransposed($0, axes: 1) },
    "Conv2DTranspose": { try KerasTransposed($0, axes: 2) },
    "BatchNormalization": KerasBatchNormalization.init,
    "BatchNormalizationV1": KerasBatchNormalization.init,
    "LayerNormalization": KerasLayerNormalization.init,
    "Normalization": KerasStandardization.init,
    "Rescaling": KerasShaping.rescaling,
    "MaxPooling1D": { try KerasPooling($0, axes: 1, isMaximum: true) },
    "MaxPooling2D": { try KerasPooling($0, axes: 2, isMaximum: true) },
    "AveragePooling1D": { try KerasPooling($0, axes: 1, isMaximum: false) },
    "AveragePooling2D": { try KerasPooling($0, axes: 2, isMaximum: false) },
    "GlobalMaxPooling1D": { try KerasPooling.global($0, axes: 1, isMaximum: true) },
    "GlobalMaxPooling2D": { try KerasPooling.global($0, axes: 2, isMaximum: true) },
    "GlobalAveragePooling1D": { try KerasPooling.global($0, axes: 1, isMaximum: false) },
    "GlobalAveragePooling2D": { try KerasPooling.global($0, axes: 2, isMaximum: false) },
    "Flatten": KerasShaping.flatten, "Reshape": KerasShaping.reshape,
    "Permute": KerasShaping.permute, "RepeatVector": KerasShaping.repeatVector,
    "ZeroPadding1D": { try KerasShaping.padding($0, axes: 1) },
    "ZeroPadding2D": { try KerasShaping.padding($0, axes: 2) },
    "Cropping1D": { try KerasShaping.cropping($0, axes: 1) },
    "Cropping2D": { try KerasShaping.cropping($0, axes: 2) },
    "UpSampling1D": KerasShaping.upsampling1D, "UpSampling2D": KerasShaping.upsampling2D,
    "Activation": KerasActivations.layer, "ReLU": KerasActivations.relu,
    "LeakyReLU": KerasActivations.leakyReLU, "ELU": KerasActivations.elu,
    "Softmax": KerasActivations.softmax, "PReLU": KerasPReLU.init,
    "Dropout": identity, "SpatialDropout1D": identity, "SpatialDropout2D": identity,
    "AlphaDropout": identity, "GaussianDropout": identity, "GaussianNoise": identity,
    "ActivityRegularization": identity, "Identity": identity,
    "Add": { _ in KerasMerge(.add) }, "Subtract": { _ in KerasMerge(.subtract) },
    "Multiply": { _ in KerasMerge(.multiply) }, "Average": { _ in KerasMerge(.average) },
    "Maximum": { _ in KerasMerge(.maximum) }, "Minimum": { _ in KerasMerge(.minimum) },
    "Concatenate": { config in KerasMerge(.concatenate(try config.axis("axis", -1))) },
    "LSTM": { try KerasRecurrent($0, .lstm) }, "GRU": { try KerasRecurrent($0, .gru) },
    "SimpleRNN": { try KerasRecurrent($0, .simple) },
    "Bidirectional": KerasBidirectional.init, "TimeDistributed": KerasTimeDistributed.init,
  ]

  /// What does something in training only.
  static let identity: Maker = { _ in KerasFunction { $0 } }

  static func make(_ config: KerasConfig) throws -> any KerasOperation {
    guard let maker = all[config.type] else { throw KerasRefusal("no such layer is known here") }
    return try maker(config)
  }
}

extension KerasConfig {
  /// An axis, counted from either end.
  func axis(_ key: String, _ standard: Int) throws -> Int {
    guard let value = self[key] else { return standard }
    guard let axis = value.int ?? value.array.flatMap({ $0.count == 1 ? $0[0].int : nil }),
      (-16...15).contains(axis)
    else { throw KerasRefusal("\(key) is no single axis") }
    return axis
  }
}
