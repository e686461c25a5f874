//! One app of a fleet, as a file.

/// A Deployment with a policy, two containers and what usually stands around them.
pub(crate) fn deployment(index: usize) -> String {
    format!(
        r#"# Managed by the team that owns app-{index}.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{index}
  namespace: team-{team}
  labels:
    app.kubernetes.io/name: app-{index}
    app.kubernetes.io/part-of: shop
  annotations:
    tidegate.io/policy: semver:~1.4
    tidegate.io/policy.log-shipper: none
spec:
  replicas: 3
  revisionHistoryLimit: 5
  selector:
    matchLabels: {{app.kubernetes.io/name: app-{index}}}
  strategy:
    rollingUpdate: {{maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app-{index}
    spec:
      serviceAccountName: app-{index}
      securityContext:
        runAsNonRoot: true
        seccompProfile: {{type: RuntimeDefault}}
      containers:
      - name: app
        image: registry.example.com/shop/app-{index}:1.4.2 # moved by the policy above
        args: ["--listen=:8080", "--log-format=json"]
        env:
        - name: DATABASE_URL
          valueFrom:
            secretKeyRef: {{name: app-{index}, key: url}}
        - name: GREETING
          value: 'it''s "quoted"'
        ports:
        - {{name: http, containerPort: 8080}}
        readinessProbe:
          httpGet: {{path: /readyz, port: http}}
          periodSeconds: 5
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{memory: 256Mi}}
      - name: log-shipper
        image: "registry.example.com/base/log-shipper:3.1.0"
        volumeMounts:
        - name: logs
          mountPath: /var/log/app
      volumes:
      - name: logs
        emptyDir: {{}}
"#,
        team = index % 20
    )
}
