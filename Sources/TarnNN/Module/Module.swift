import TarnCore

/// A model or a part of one: a value made of tensors, other modules and plain settings.
///
/// Declare a struct and conform it; nothing else is to be written. Every stored `Tensor` of a floating type is a
/// parameter, named by its path, e.g. `layers.0.weight`; every ``Buffer`` is saved but not trained. Numbers,
/// truth values, strings and `Codable` enums are configuration. A `CodingKeys` enum renames fields:
///
/// ```swift
/// struct Classifier: Layer {
///   var body = Sequential { Linear(784, 128); ReLU() }
///   var head = Linear(128, 10)
///   enum CodingKeys: String, CodingKey { case body = "features", head = "fc" }
///   func callAsFunction(_ x: Tensor) -> Tensor { head(body(x)) }
/// }
/// Classifier().parameters.map(\.name)   // features.0.weight, features.0.bias, fc.weight, fc.bias
/// ```
///
/// A gradient has the model's own type, and models add and scale. What a module cannot hold, the compiler names: a closure
/// or an `any Layer` is not `Codable`. Two fields with one tensor are two parameters: to tie weights, use one field twice.
public protocol Module: TensorStructure {}

/// A module that maps a tensor to a tensor.
public protocol Layer: Module {
  /// The output for `x`.
  func callAsFunction(_ x: Tensor) -> Tensor
}

extension Module {
  /// The parameters with their paths, in the order of declaration.
  public var parameters: [(name: String, tensor: Tensor)] { named { $0.belongs(to: .trainable) } }

  /// What is saved but not trained, with its paths: ``Buffer``s and tensors of integers.
  public var buffers: [(name: String, tensor: Tensor)] { named { !$0.belongs(to: .trainable) } }

  /// How many numbers are trained.
  public var parameterCount: Int { tensors(.trainable).reduce(0) { $0 + $1.count } }

  /// The same model with each parameter replaced by `transform(name, parameter)`.
  ///
  /// ```swift
  /// let noisy = model.mapParameters { name, w in w + 0.01 * .normal(w.shape, key: key.folded(in: w.count)) }
  /// ```
  public func mapParameters(_ transform: (String, Tensor) throws -> Tensor) rethrows -> Self {
    try mapNamed(.trainable, transform)
  }

  /// The same model with its floating tensors, buffers included, as `dtype`; integers stay.
  public func cast(to dtype: DType) -> Self {
    mapTensors(.all) { $0.dtype.isFloating ? $0.cast(to: dtype) : $0 }
  }
}
