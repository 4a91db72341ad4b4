/// The classes and functions that a pickle may name. Each stands for plain data that is built here; none is ever
/// looked up or called in another language, and every other name is refused.
enum PickleGlobal: Sendable, Hashable {
  /// `collections.OrderedDict`, `collections.Counter` and `dict`: from nothing or from pairs.
  case dictionary
  /// `collections.defaultdict`: its factory is passed over.
  case defaultDictionary
  /// Objects that are read as the dictionary of their attributes: `argparse.Namespace`, `types.SimpleNamespace`,
  /// and the modules of TorchScript archives.
  case record
  case list, tuple, set
  case bytes
  /// Types of numbers and texts, as factories of dictionaries; they are never called.
  case scalarType
  /// `pathlib.PosixPath` and its kin, from their parts.
  case filePath
  /// `torch._utils._rebuild_tensor`, `_v2` and `_v3`, by the number of the version.
  case rebuildTensor(Int)
  case rebuildParameter
  case rebuildFromType
  case tensorClass
  case storage(TorchElement)
  /// `torch.storage.UntypedStorage`: bytes.
  case untypedStorage
  case element(TorchElement)
  case device
  case numpyReconstruct, numpyArray, numpyScalar, numpyType, numpyFromBuffer
  /// `_codecs.encode`, by which Python 3 writes bytes into old protocols.
  case encode
  /// `copyreg._reconstructor`, by which old protocols write objects.
  case reconstructor
  /// Functions that are passed by: what they would give is their first argument (`torch.jit._pickle.restore_type_tag`).
  case firstArgument

  private static let known: [String: PickleGlobal] = [
    "collections OrderedDict": .dictionary,
    "collections Counter": .dictionary,
    "collections defaultdict": .defaultDictionary,
    "collections deque": .list,
    "argparse Namespace": .record,
    "types SimpleNamespace": .record,
    "pathlib PosixPath": .filePath,
    "pathlib PurePosixPath": .filePath,
    "pathlib WindowsPath": .filePath,
    "pathlib._local PosixPath": .filePath,
    "torch Size": .tuple,
    "torch Tensor": .tensorClass,
    "torch.nn.parameter Parameter": .tensorClass,
    "torch.nn.parameter Buffer": .tensorClass,
    "torch._utils _rebuild_tensor": .rebuildTensor(1),
    "torch._utils _rebuild_tensor_v2": .rebuildTensor(2),
    "torch._utils _rebuild_tensor_v3": .rebuildTensor(3),
    "torch._utils _rebuild_parameter": .rebuildParameter,
    "torch._utils _rebuild_parameter_with_state": .rebuildParameter,
    "torch._tensor _rebuild_from_type": .rebuildFromType,
    "torch._tensor _rebuild_from_type_v2": .rebuildFromType,
    "torch.storage UntypedStorage": .untypedStorage,
    "torch UntypedStorage": .untypedStorage,
    "torch device": .device,
    "torch.jit._pickle restore_type_tag": .firstArgument,
    "torch.jit._pickle build_intlist": .firstArgument,
    "torch.jit._pickle build_doublelist": .firstArgument,
    "torch.jit._pickle build_boollist": .firstArgument,
    "torch.jit._pickle build_tensorlist": .firstArgument,
    "numpy ndarray": .numpyArray,
    "numpy dtype": .numpyType,
    "_codecs encode": .encode,
    "copyreg _reconstructor": .reconstructor,
    "copy_reg _reconstructor": .reconstructor,
  ]

  private static let builtins: [String: PickleGlobal] = [
    "dict": .dictionary, "list": .list, "tuple": .tuple, "set": .set, "frozenset": .set,
    "bytes": .bytes, "bytearray": .bytes, "object": .record, "int": .scalarType,
    "long": .scalarType, "float": .scalarType, "bool": .scalarType, "str": .scalarType,
    "unicode": .scalarType,
  ]

  private static let numpy: [String: PickleGlobal] = [
    "multiarray _reconstruct": .numpyReconstruct, "multiarray scalar": .numpyScalar,
    "numeric _frombuffer": .numpyFromBuffer,
  ]

  /// The meaning of a name, or nil where it is not on the list.
  init?(module: String, name: String) {
    if let known = Self.known["\(module) \(name)"] {
      self = known
    } else if module == "builtins" || module == "__builtin__", let known = Self.builtins[name] {
      self = known
    } else if let path = module.droppingPrefix("numpy.core.")
      ?? module.droppingPrefix("numpy._core."), let known = Self.numpy["\(path) \(name)"]
    {
      self = known
    } else if module == "torch" || module == "torch.cuda" || module == "torch.storage",
      let element = TorchElement(storageClass: name)
    {
      self = .storage(element)
    } else if module == "torch", let element = TorchElement(name: name) {
      self = .element(element)
    } else if module == "__torch__" || module.hasPrefix("__torch__.") {
      self = .record
    } else {
      return nil
    }
  }
}

extension String {
  /// The rest after `prefix`, or nil where the text does not begin with it.
  func droppingPrefix(_ prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
