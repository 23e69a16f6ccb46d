package cloud

type regionAnswer struct {
	head
	Regions []region
}

type region struct {
	RegionID   int `json:"RegionId"`
	RegionName string
	IsDefault  bool
	BitMaps    string
	Region     string
	Zone       string
}

type projectAnswer struct {
	head
	ProjectCount int
	ProjectSet   []project
}

type project struct {
	ProjectID     string `json:"ProjectId"`
	ProjectName   string
	ParentID      string `json:"ParentId"`
	ParentName    string
	IsDefault     bool
	CreateTime    int
	MemberCount   int
	ResourceCount int
}

func getRegion(q *call) (any, error) {
	name := q.c.o.Region
	return regionAnswer{q.ok(), []region{{
		RegionID: 1, RegionName: name, IsDefault: true, BitMaps: "1", Region: name, Zone: name + "-01",
	}}}, nil
}

func getProjectList(q *call) (any, error) {
	return projectAnswer{q.ok(), 1, []project{{
		ProjectID: q.c.o.ProjectID, ProjectName: "Default", IsDefault: true, CreateTime: created, MemberCount: 1,
		ResourceCount: len(q.c.state.backends),
	}}}, nil
}
