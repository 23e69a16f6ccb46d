package cloud

import "fmt"

// RetCodes UCloud documents, as far as this API answers with them on its own.
const (
	codeNoAction       = 160
	codeUnknownAction  = 161
	codeNoSignature    = 170
	codeBadSignature   = 171
	codeNoUser         = 172
	codeNoToken        = 174
	codeMissingParam   = 220
	codeBadParam       = 230
	codeNoProject      = 292
	codeNoVServer      = 4088
	codeCreateBackend  = 4090
	codeNoBackend      = 4093
	codeGetFailed      = 4103
	codeUpdateFailed   = 4104
	codeAlreadyInPool  = 4109
	codePortDiffers    = 4118
	codeTimeoutRange   = 4121
	codeNoResource     = 63032
	codeNoListenerALB  = 4143
	codeNoTargetALB    = 4148
	codeBatchTooLarge  = 4120
	codePortRange      = 4550
	codeOutsideService = 150
)

// refusal is an answer with a RetCode other than 0.
type refusal struct {
	code    int
	message string
}

func (r refusal) Error() string { return fmt.Sprintf("RetCode %d: %s", r.code, r.message) }

// refuse returns a refusal with UCloud's text for the code.
func refuse(code int) refusal { return refusal{code, messageOf(code)} }

func missing(param string) refusal {
	return refusal{codeMissingParam, "Missing params [" + param + "]"}
}

func unavailable(param string) refusal {
	return refusal{codeBadParam, "Params [" + param + "] not available"}
}

// messageOf returns the text that comes with a code. Some are Chinese, as
// UCloud's are: a client can go by codes only.
func messageOf(code int) string {
	switch code {
	case 110:
		return "Service timeout"
	case 130:
		return "Gateway error"
	case codeOutsideService:
		return "Service unavailable"
	case 153:
		return "Too many requests"
	case codeNoAction:
		return "Missing Action"
	case codeUnknownAction:
		return "Action not found"
	case codeNoSignature:
		return "Missing signature"
	case codeBadSignature:
		return "Signature VerifyAC Error"
	case codeNoUser:
		return "User not found"
	case codeNoToken:
		return "Token Not Exists"
	case 294:
		return "IP not permitted"
	case 299:
		return "IAM permission denied"
	case codeNoVServer, codeNoListenerALB:
		return "VServer不存在"
	case codeCreateBackend:
		return "创建节点失败"
	case codeNoBackend, codeNoTargetALB:
		return "节点不存在"
	case 4086, codeGetFailed:
		return "获取失败,请稍后重试"
	case codeUpdateFailed:
		return "更新失败,请稍后重试"
	case codeAlreadyInPool:
		return "该主机已在节点池中"
	case codePortDiffers:
		return "后端端口必须与VServer端口一致"
	case codeBatchTooLarge:
		return "节点数据错误"
	case codeTimeoutRange:
		return "超时时间超出范围"
	case codePortRange:
		return "端口超出范围"
	case codeNoResource:
		return "资源不存在"
	default:
		return "请联系技术支持"
	}
}
