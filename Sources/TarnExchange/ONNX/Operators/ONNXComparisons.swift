import TarnCore

/// Comparisons, logic and choice.
extension ONNXOperators {
  static let comparisons: [ONNXOperator] = [
    .pair("Equal", [1, 7, 11, 13, 19]) { $0 .== $1 },
    .pair("Less", [1, 7, 9, 13]) { $0 .< $1 },
    .pair("Greater", [1, 7, 9, 13]) { $0 .> $1 },
    .pair("LessOrEqual", [12, 16]) { $0 .<= $1 },
    .pair("GreaterOrEqual", [12, 16]) { $0 .>= $1 },
    .pair("And", [1, 7]) { $0 .& $1 },
    .pair("Or", [1, 7]) { $0 .| $1 },
    .pair("Xor", [1, 7]) { $0 .^ $1 },
    .map("Not", [1]) { .!$0 },
    .map("IsNaN", [9, 13, 20]) { $0.isNaN() },
    ONNXOperator("IsInf", [10, 20]) { call in
      let x = try call.tensor(0)
      let none = x.filled(.integer(0), dtype: .bool)
      let up = try call.flag("detect_positive", true) ? x .== Double.infinity : none
      let down = try call.flag("detect_negative", true) ? x .== -Double.infinity : none
      return up .| down
    },
    ONNXOperator("Where", [9, 16]) { call in
      let (a, b) = (try call.tensor(1), try call.tensor(2))
      return which(try call.tensor(0), a, b)
    },
  ]
}
