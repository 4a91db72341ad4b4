extension ONNXOperators {
  private static let text = "tensors of texts are not supported"

  /// Why operators that are known are not supported.
  static let refusals: [String: String] = [
    "StringNormalizer": text, "StringConcat": text, "StringSplit": text, "RegexFullMatch": text,
    "TfIdfVectorizer": text, "LabelEncoder": text, "CategoryMapper": text, "DictVectorizer": text,
    "ImageDecoder": "images are decoded before they are given to a model",
    "TreeEnsemble": "models of trees are not supported",
    "TreeEnsembleClassifier": "models of trees are not supported",
    "TreeEnsembleRegressor": "models of trees are not supported",
    "Gradient": "derivatives are taken of the whole model: use grad or vjp",
    "MaxRoiPool": "RoiAlign is supported in its place",
  ]
}
